// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:47:41Z
// Spec: openspec/specs/lab/spec.md#requirement-isolation
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// allowedCaps is the capability list that container engines grant by default (moby profiles, oci/caps
// defaults). It lets package installation scripts work and lacks CAP_SYS_ADMIN, without which no mount can be changed.
var allowedCaps = []uintptr{
	unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FSETID, unix.CAP_FOWNER, unix.CAP_MKNOD, unix.CAP_NET_RAW,
	unix.CAP_SETGID, unix.CAP_SETUID, unix.CAP_SETFCAP, unix.CAP_SETPCAP, unix.CAP_NET_BIND_SERVICE,
	unix.CAP_SYS_CHROOT, unix.CAP_KILL, unix.CAP_AUDIT_WRITE,
}

// highestCap bounds the search for capabilities that this kernel knows: capability sets have 64 bits.
const highestCap = 63

// confineThread drops, for the calling thread and all that it starts, every capability outside
// allowedCaps from the bounding, permitted, effective, inheritable and ambient sets.
//
// The calling goroutine must be locked to its thread. One thread is confined rather than all
// (syscall.AllThreadsSyscall), because the Go runtime refuses the latter in binaries that link C code,
// which every binary built with the race detector does. Any thread of this process would do to take it over,
// the confined one too, which holds no more than the guest's root: hence forbidTracing.
func confineThread() error {
	var keep [2]unix.CapUserData
	for _, c := range allowedCaps {
		keep[c/32].Permitted |= 1 << (c % 32)
		keep[c/32].Effective |= 1 << (c % 32)
	}
	for c := uintptr(0); c <= highestCap; c++ {
		if keep[c/32].Permitted&(1<<(c%32)) != 0 {
			continue
		}
		known, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0)
		if err != nil || known < 0 {
			break // the kernel's last capability is behind us
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil {
			return fmt.Errorf("dropping capability %d: %w", c, err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("clearing ambient capabilities: %w", err)
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capset(&head, &keep[0]); err != nil {
		return fmt.Errorf("setting capabilities: %w", err)
	}
	return nil
}

// forbidTracing keeps every process that lacks CAP_SYS_PTRACE, which the guest's all do, from tracing this one,
// from its memory, its descriptors and its view of the file system. Programs that it executes are not concerned.
func forbidTracing() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("forbidding to trace the first process: %w", err)
	}
	return nil
}

// confinedThread runs functions one at a time on a thread of its own that was confined first.
type confinedThread struct{ work chan func() }

func newConfinedThread() (*confinedThread, error) {
	t := &confinedThread{work: make(chan func())}
	confined := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // for ever: no other goroutine may run with these capabilities
		err := confineThread()
		confined <- err
		if err != nil {
			return
		}
		for f := range t.work {
			f()
		}
	}()
	return t, <-confined
}

// do runs f on the confined thread and waits for it.
func (t *confinedThread) do(f func()) {
	done := make(chan struct{})
	t.work <- func() { defer close(done); f() }
	<-done
}
