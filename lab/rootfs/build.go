// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:56Z
// Spec: openspec/specs/lab/spec.md#requirement-offline-packages
// Diagram: openspec/specs/lab/diagram.md#parts

package rootfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// mirrorDir is the package repository inside the root file system.
const mirrorDir = "/var/lib/offline-packages"

// policyScript keeps packages from starting services (invoke-rc.d asks it): a guest's pid 1 runs none.
const policyScript = "#!/bin/sh\nexit 101\n"

// systemctlScript comes before systemctl in every search path. With another pid 1 than systemd, systemctl
// serves the power verbs only under their old names (poweroff, reboot, halt); everything else is passed on.
const systemctlScript = `#!/bin/sh
for word in "$@"; do
  case "$word" in
    -*) ;;
    poweroff | reboot | halt) exec "/usr/sbin/$word" ;;
    *) break ;;
  esac
done
exec /usr/bin/systemctl "$@"
`

// tailSize is how much of a failed tool's output an error carries.
const tailSize = 2 << 10

// builder builds one root file system.
type builder struct {
	recipe   recipe
	root     string
	progress io.Writer
}

// build runs the steps in order.
func (b *builder) build(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("debootstrap needs root: run as root, or build the cache once with sudo")
	}
	if err := ensureTools(ctx, b); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"installing Debian " + b.recipe.Suite, b.bootstrap},
		{"applying updates", b.update},
		{"downloading packages for offline use", b.download},
		{"indexing the offline packages", b.index},
		{"cleaning", b.clean},
	} {
		fmt.Fprintf(b.progress, "root file system: %s\n", step.name)
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func (b *builder) bootstrap(ctx context.Context) error {
	if err := b.tool(ctx, "debootstrap", "--variant=minbase", "--arch="+b.recipe.Architecture,
		"--include="+strings.Join(b.recipe.Base, ","), b.recipe.Suite, b.root, b.recipe.Mirror); err != nil {
		return err
	}
	return errors.Join(
		b.write("/usr/sbin/policy-rc.d", policyScript, 0o755),
		b.write("/usr/local/bin/systemctl", systemctlScript, 0o755),
	)
}

func (b *builder) update(ctx context.Context) error {
	sources := fmt.Sprintf("deb %[1]s %[3]s main\ndeb %[1]s %[3]s-updates main\ndeb %[2]s %[3]s-security main\n",
		b.recipe.Mirror, b.recipe.Security, b.recipe.Suite)
	if err := b.write("/etc/apt/sources.list", sources, 0o644); err != nil {
		return err
	}
	if err := b.chroot(ctx, "apt-get", "update", "-q"); err != nil {
		return err
	}
	return b.chroot(ctx, "apt-get", "dist-upgrade", "-y", "-q", "--no-install-recommends")
}

// download fetches the offline packages with their dependencies that the base lacks. What the base holds
// already is fetched too, so that a purged package can be installed again.
func (b *builder) download(ctx context.Context) error {
	if err := b.chroot(ctx, "apt-get", "clean"); err != nil {
		return err
	}
	install := append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends", "--download-only"}, b.recipe.Offline...)
	if err := b.chroot(ctx, install...); err != nil {
		return err
	}
	again := append([]string{"apt-get", "install", "-y", "-q", "--reinstall", "--download-only"}, "ca-certificates", "openssh-server", "sudo")
	if err := b.chroot(ctx, again...); err != nil {
		return err
	}
	packages, err := filepath.Glob(filepath.Join(b.root, "var/cache/apt/archives/*.deb"))
	if err != nil {
		return fmt.Errorf("listing downloads: %w", err)
	}
	mirror := filepath.Join(b.root, mirrorDir)
	if err := os.Mkdir(mirror, 0o755); err != nil {
		return fmt.Errorf("making the repository: %w", err)
	}
	for _, p := range packages {
		if err := os.Rename(p, filepath.Join(mirror, filepath.Base(p))); err != nil {
			return fmt.Errorf("moving a package: %w", err)
		}
	}
	return nil
}

// index makes the downloads a flat repository and the only source of packages.
func (b *builder) index(ctx context.Context) error {
	mirror := filepath.Join(b.root, mirrorDir)
	for _, file := range []string{"Packages", "Release"} {
		cmd := command(ctx, "apt-ftparchive", strings.ToLower(file), ".")
		cmd.Dir = mirror
		index, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("apt-ftparchive %s: %w", strings.ToLower(file), err)
		}
		if err := b.write(filepath.Join(mirrorDir, file), string(index), 0o644); err != nil {
			return err
		}
	}
	if err := b.write("/etc/apt/sources.list", "deb [trusted=yes] file:"+mirrorDir+" ./\n", 0o644); err != nil {
		return err
	}
	return b.removeContents("/var/lib/apt/lists")
}

// clean removes what must not be the same in every guest, and what the build left.
func (b *builder) clean(ctx context.Context) error {
	if err := b.chroot(ctx, "apt-get", "clean"); err != nil {
		return err
	}
	keys, _ := filepath.Glob(filepath.Join(b.root, "etc/ssh/ssh_host_*"))
	logs, _ := filepath.Glob(filepath.Join(b.root, "var/log/*.log"))
	for _, file := range append(keys, logs...) {
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("removing %s: %w", file, err)
		}
	}
	if err := b.removeContents("/tmp"); err != nil {
		return err
	}
	return errors.Join(
		b.write("/etc/machine-id", "", 0o444),
		b.write("/etc/hostname", "debian\n", 0o644),
		b.write("/etc/resolv.conf", "", 0o644),
		b.write("/etc/fstab", "# root file system of a simulated guest\n", 0o644),
	)
}

func (b *builder) write(path, content string, mode os.FileMode) error {
	target := filepath.Join(b.root, path)
	if err := os.Remove(target); err != nil && !errors.Is(err, os.ErrNotExist) { // never write through a link
		return fmt.Errorf("replacing %s: %w", path, err)
	}
	if err := os.WriteFile(target, []byte(content), mode); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Chmod(target, mode); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func (b *builder) removeContents(dir string) error {
	entries, err := os.ReadDir(filepath.Join(b.root, dir))
	if err != nil {
		return fmt.Errorf("emptying %s: %w", dir, err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(b.root, dir, e.Name())); err != nil {
			return fmt.Errorf("emptying %s: %w", dir, err)
		}
	}
	return nil
}

// chroot runs a command inside the root file system.
func (b *builder) chroot(ctx context.Context, argv ...string) error {
	return b.tool(ctx, "chroot", append([]string{b.root}, argv...)...)
}

// tool runs a host command; its output goes to progress, and the end of it into an error.
func (b *builder) tool(ctx context.Context, name string, args ...string) error {
	cmd := command(ctx, name, args...)
	tail := &tailWriter{}
	out := io.MultiWriter(b.progress, tail)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(tail.kept))
	}
	return nil
}

// command prepares a host command in a process group that ends, whole, with ctx or with this process.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if path := locate(name); path != "" {
		name = path
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "PATH="+os.Getenv("PATH")+":"+systemPath)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// tailWriter keeps the last tailSize bytes written to it.
type tailWriter struct{ kept []byte }

func (t *tailWriter) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}
