// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:47:41Z
// Spec: openspec/specs/lab/spec.md#requirement-isolation
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// idRange is how many user and group ids a guest has, the range that Debian's base-passwd uses.
const idRange = 65536

// argv[0] of the processes that Main takes over.
const (
	initName  = "packer-hybrid-guest-init"
	probeName = "packer-hybrid-guest-probe"
)

// searchPath is root's in Debian (/etc/login.defs).
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// File descriptors that the guest's first process inherits, after the three standard ones.
const (
	listenerFD = 3
	controlFD  = 4
)

// namespace is one kind of isolation, with the name used in errors.
type namespace struct {
	name string
	flag uintptr
}

var namespaces = []namespace{
	{"user", syscall.CLONE_NEWUSER},
	{"mount", syscall.CLONE_NEWNS},
	{"process (pid)", syscall.CLONE_NEWPID},
	{"host name (uts)", syscall.CLONE_NEWUTS},
	{"ipc", syscall.CLONE_NEWIPC},
	{"network", syscall.CLONE_NEWNET},
}

// initCommand builds the command of a guest's first process: this very binary in new namespaces. Its
// configuration travels over the control socket: nothing of it shows in a command line or environment.
func initCommand(listener, control, console *os.File) *exec.Cmd {
	return &exec.Cmd{
		Path:        "/proc/self/exe",
		Args:        []string{initName},
		Env:         []string{"PATH=" + searchPath},
		Dir:         "/",
		Stdout:      console,
		Stderr:      console,
		ExtraFiles:  []*os.File{listener, control},
		SysProcAttr: namespaceAttr(allNamespaces()),
	}
}

func allNamespaces() uintptr {
	var flags uintptr
	for _, n := range namespaces {
		flags |= n.flag
	}
	return flags
}

// namespaceAttr gives process attributes for new namespaces with an identity map of the ids below idRange:
// files keep their owners, while capabilities count inside the namespace only.
func namespaceAttr(flags uintptr) *syscall.SysProcAttr {
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: idRange}}
	return &syscall.SysProcAttr{
		Cloneflags:                 flags,
		UidMappings:                ids,
		GidMappings:                ids,
		GidMappingsEnableSetgroups: true,
		Pdeathsig:                  syscall.SIGKILL,
		Setsid:                     true,
	}
}

// launch starts cmd and returns a channel that gives the result of waiting for it. The parent-death signal
// is tied to the thread that forked, so that thread is kept for as long as the process lives.
func launch(cmd *exec.Cmd) (<-chan error, error) {
	started, exited := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			exited <- cmd.Wait()
		}
	}()
	return exited, <-started
}

// Probe reports whether this process may make the namespaces that a guest needs. The error names those
// that were refused and what usually refuses them.
func Probe() error {
	cause := tryNamespaces(allNamespaces())
	if cause == nil {
		return nil
	}
	var refused []string
	for _, n := range namespaces {
		if tryNamespaces(syscall.CLONE_NEWUSER|n.flag) != nil {
			refused = append(refused, n.name)
		}
	}
	return fmt.Errorf("this system refuses the lab new namespaces (%s): %w; run as root on Linux with "+
		"user.max_user_namespaces above 0, and in a container with --privileged (the lab must map %d user ids)",
		strings.Join(refused, ", "), cause, idRange)
}

// tryNamespaces starts a process in new namespaces that ends at once.
func tryNamespaces(flags uintptr) error {
	cmd := exec.Command("/proc/self/exe") //nolint:noctx // it ends at once
	cmd.Args = []string{probeName}
	cmd.SysProcAttr = namespaceAttr(flags)
	cmd.SysProcAttr.Pdeathsig = 0
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("starting a process in new namespaces: %w", err)
	}
	return nil
}

// explainRefusal turns a failed start into an error that names what was refused.
func explainRefusal(err error) error {
	if probed := Probe(); probed != nil {
		return errors.Join(fmt.Errorf("starting the guest: %w", err), probed)
	}
	return fmt.Errorf("starting the guest: %w", err)
}
