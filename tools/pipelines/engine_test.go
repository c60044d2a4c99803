// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:10:00Z
// Spec: openspec/specs/container/spec.md#requirement-what-the-image-holds
// Diagram: openspec/specs/container/diagram.md#from-sources-to-image

//go:build pipelines

package pipelines_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab"
)

// Names of images in an engine's own storage.
const (
	debianBase  = "localhost/debian-base:latest"
	goBase      = "localhost/go-base:latest"
	bareImage   = "localhost/packer-hybrid-bare:latest"
	plainImage  = "localhost/packer-hybrid:latest"
	actionImage = "docker.io/library/act-dockeraction:latest" // as act names the action ./
)

// engine is buildah and podman with storage of their own below dir, and no
// daemon, beside a lab.
type engine struct {
	lab     *lab.Lab
	dir     string
	env     []string
	address string // of Docker's API; empty until serve
}

// A runtime of its own, no networks, no systemd; the lock of other engines on
// this machine is not touched. Limits: the defaults are above those of a CI job.
const containersConf = `[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
exit_command_delay = 0
lock_type = "file"
tmp_dir = "%[1]s/libpod"
static_dir = "%[1]s/static"
volume_path = "%[1]s/volumes"
`

const storageConf = `[storage]
driver = "overlay"
graphroot = "%[1]s/storage"
runroot = "%[1]s/run"
`

// newEngine makes one and has it forget everything at the end of the test.
func newEngine(t *testing.T) *engine {
	t.Helper()
	dir := t.TempDir()
	e := &engine{
		lab: startLab(t), dir: dir,
		env: append(os.Environ(), "HOME="+dir+"/home", "TMPDIR="+dir+"/tmp", "XDG_CACHE_HOME="+dir+"/home/.cache"),
	}
	for _, folder := range []string{"home", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"CONTAINERS_CONF": containersConf, "CONTAINERS_STORAGE_CONF": storageConf} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, fmt.Appendf(nil, text, dir), 0o600); err != nil {
			t.Fatal(err)
		}
		e.env = append(e.env, name+"="+path)
	}
	t.Cleanup(func() {
		for _, args := range [][]string{
			{"podman", "rm", "--all", "--force", "--time", "0"},
			{"podman", "umount", "--all"},
			{"buildah", "umount", "--all"},
		} {
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Env = e.env
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", args, err, out)
			}
		}
		if err := syscall.Unmount(filepath.Join(dir, "storage", "overlay"), 0); err != nil &&
			!errors.Is(err, syscall.EINVAL) {
			t.Error(err)
		}
	})
	return e
}

func (e *engine) cmd(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = e.env
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// must runs a command that has to end well, and returns its standard output.
func (e *engine) must(t *testing.T, args ...string) string {
	t.Helper()
	cmd := e.cmd(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s\n%s", args, err, tail(out.String()), tail(errs.String()))
	}
	return strings.TrimSpace(out.String())
}

// tail is the end of an output that may be long.
func tail(text string) string { return text[max(0, len(text)-4000):] }

// run runs an image and returns the exit code with both outputs together.
func (e *engine) run(t *testing.T, args ...string) (int, string) {
	t.Helper()
	out, err := e.cmd(t, append([]string{"podman", "run", "--rm"}, args...)...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		return exit.ExitCode(), string(out)
	}
	return 0, string(out)
}

// bases makes the two images that the Dockerfile begins with: a minimal Debian,
// and the same with the Go of this machine.
func (e *engine) bases(t *testing.T) {
	t.Helper()
	tar := filepath.Join(cache(t), "debian-base.tar")
	if _, err := os.Stat(tar); err != nil {
		t.Fatalf("the base image is missing (run: tools/build debian-base): %v", err)
	}
	c := e.must(t, "buildah", "from", "scratch")
	e.must(t, "buildah", "add", "--quiet", c, tar, "/")
	e.must(t, "buildah", "commit", "--quiet", "--rm", c, debianBase)
	c = e.must(t, "buildah", "from", debianBase)
	e.must(t, "buildah", "add", "--quiet", c, goEnv(t)["GOROOT"], "/usr/local/go")
	e.must(t, "buildah", "config", "--env", "GOPATH=/go", "--env", "GOCACHE=/go/cache", "--env",
		"PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", c)
	e.must(t, "buildah", "commit", "--quiet", "--rm", c, goBase)
}

func goEnv(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "-json", "GOROOT", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	if err := json.Unmarshal(out, &env); err != nil {
		t.Fatal(err)
	}
	return env
}

// build builds one target of the Dockerfile. The module and build caches of
// this machine are lent to it: it would fetch and compile the same again.
func (e *engine) build(t *testing.T, target, name string) {
	t.Helper()
	env := goEnv(t)
	e.must(t, "buildah", "bud", "--isolation", "chroot", "--layers", "--pull-never", "--target", target, "--tag", name,
		"--build-arg", "GO_IMAGE="+goBase, "--build-arg", "DEBIAN_IMAGE="+debianBase, "--build-arg", "VERSION=1.2.3-test",
		"--build-arg", "REVISION=0123456789abcdef",
		"--volume", env["GOMODCACHE"]+":/go/pkg/mod", "--volume", env["GOCACHE"]+":/go/cache", repository)
}

// serve answers Docker's API on a socket until the test ends. It takes the
// socket over, so nobody has to wait until it listens.
func (e *engine) serve(t *testing.T) {
	t.Helper()
	socket := filepath.Join(e.dir, "podman.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	file, err := listener.File()
	if err != nil {
		t.Fatal(err)
	}
	cmd := e.cmd(t, "sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec podman system service --time=0")
	cmd.ExtraFiles = []*os.File{file}
	if err := errors.Join(cmd.Start(), file.Close()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = cmd.Process.Signal(syscall.SIGTERM), cmd.Wait() // it was ended
		_ = listener.Close()
	})
	e.address = "unix://" + socket
}

// give makes a folder and all in it the user's.
func give(t *testing.T, dir string, uid int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, uid)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// copyFile copies what a container must be able to read.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	src, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(dst, src)
	if err = errors.Join(err, dst.Close()); err != nil {
		t.Fatal(err)
	}
}
