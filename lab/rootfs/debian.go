// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:30:00Z
// Spec: openspec/specs/lab/spec.md#requirement-offline-packages
// Diagram: openspec/specs/lab/diagram.md#parts

package rootfs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// suite is the Debian release that guests run, and version how it calls itself.
const (
	suite   = "bookworm"
	version = "12"
)

// buildVersion is part of the digest; raise it whenever the build's steps change.
const buildVersion = 2

// Where Debian packages come from when the host's own apt sources do not say.
const (
	defaultMirror   = "http://deb.debian.org/debian"
	defaultSecurity = "http://deb.debian.org/debian-security"
)

// basePackages make a minimal Debian that systemctl, sshd -T, apt and Ansible work in.
var basePackages = []string{
	"adduser", "ca-certificates", "gpgv", "iproute2", "kmod", "locales", "openssh-server", "openssh-sftp-server",
	"procps", "python3", "python3-apt", "sudo", "systemd", "systemd-sysv", "tzdata",
}

// mirrorPackages can be installed in a guest, with all that they depend on.
var mirrorPackages = []string{
	"auditd", "bash-completion", "ca-certificates", "chrony", "cloud-guest-utils", "cloud-init", "curl", "git", "gnupg",
	"htop", "less", "open-vm-tools", "qemu-guest-agent", "rsync", "unattended-upgrades", "unzip", "vim-tiny", "waagent",
	"wget",
}

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

// debianRecipe is everything that decides what a root file system of Debian
// holds, apart from the day it is built on.
type debianRecipe struct {
	Version      int
	Suite        string
	Architecture string // as Debian names it
	Mirror       string
	Security     string
	Base         []string
	Offline      []string
}

// debian is the recipe for this machine: its architecture, and the mirrors of its own apt sources.
func debian() (recipe, error) {
	architecture, err := debianArchitecture(runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	r := debianRecipe{
		Version: buildVersion, Suite: suite, Architecture: architecture,
		Mirror: defaultMirror, Security: defaultSecurity, Base: basePackages, Offline: mirrorPackages,
	}
	for _, s := range hostSources("/etc/apt") {
		if slices.Contains(s.suites, suite) {
			r.Mirror = s.uri
		}
		if slices.Contains(s.suites, suite+"-security") {
			r.Security = s.uri
		}
	}
	return r, nil
}

func debianArchitecture(goarch string) (string, error) {
	switch goarch {
	case "amd64", "arm64":
		return goarch, nil
	}
	return "", fmt.Errorf("the lab has no guests for the architecture %s: amd64 and arm64 are built", goarch)
}

func (r debianRecipe) digest() string { return digestOf(r) }

func (r debianRecipe) steps(b *builder) []step {
	d := debianBuild{b, r}
	return []step{
		{"looking for tools", d.ready},
		{"installing Debian " + r.Suite, d.bootstrap},
		{"applying updates", d.update},
		{"downloading packages for offline use", d.download},
		{"indexing the offline packages", d.index},
		{"cleaning", d.clean},
	}
}

// debianBuild is a build by that recipe.
type debianBuild struct {
	*builder
	debianRecipe
}

func (b debianBuild) ready(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("debootstrap needs root: run as root, or build the cache once with sudo")
	}
	return ensureTools(ctx, b.builder)
}

func (b debianBuild) bootstrap(ctx context.Context) error {
	if err := b.tool(ctx, "debootstrap", "--variant=minbase", "--arch="+b.Architecture,
		"--include="+strings.Join(b.Base, ","), b.Suite, b.root, b.Mirror); err != nil {
		return err
	}
	return errors.Join(
		b.write("/usr/sbin/policy-rc.d", policyScript, 0o755),
		b.write("/usr/local/bin/systemctl", systemctlScript, 0o755),
	)
}

func (b debianBuild) update(ctx context.Context) error {
	sources := fmt.Sprintf("deb %[1]s %[3]s main\ndeb %[1]s %[3]s-updates main\ndeb %[2]s %[3]s-security main\n",
		b.Mirror, b.Security, b.Suite)
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
func (b debianBuild) download(ctx context.Context) error {
	if err := b.chroot(ctx, "apt-get", "clean"); err != nil {
		return err
	}
	install := append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends", "--download-only"},
		b.Offline...)
	if err := b.chroot(ctx, install...); err != nil {
		return err
	}
	again := append([]string{"apt-get", "install", "-y", "-q", "--reinstall", "--download-only"}, "ca-certificates",
		"openssh-server", "sudo")
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
func (b debianBuild) index(ctx context.Context) error {
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
func (b debianBuild) clean(ctx context.Context) error {
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
