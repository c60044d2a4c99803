// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:57:48Z
// Spec: openspec/specs/packer/spec.md#requirement-owned-child-process
// Diagram: openspec/specs/packer/diagram.md#one-job

//go:build unix && !linux

package child

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// OwnGroup puts a child into a process group of its own. There is no
// parent-death signal outside Linux.
func OwnGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// secondReader has no portable form.
func secondReader(*os.File) *os.File { return nil }

// awaitExit waits for the end of a child, reaps it and says whether a signal
// ended it.
func awaitExit(cmd *exec.Cmd) (signalled bool, err error) {
	if cmd.ProcessState, err = cmd.Process.Wait(); err != nil {
		return false, fmt.Errorf("waiting for process %d: %w", cmd.Process.Pid, err)
	}
	return cmd.ProcessState.ExitCode() < 0, nil
}

// Process is a whole process group: there is no process table to read.
type Process struct{ Group int }

// Survivors says whether the group has a living member.
func Survivors(group int, _ string) []Process {
	if syscall.Kill(-group, 0) != nil {
		return nil
	}
	return []Process{{Group: group}}
}

// Signal sends a signal to the group.
func (p Process) Signal(sig syscall.Signal) {
	_ = syscall.Kill(-p.Group, sig) // it may have ended
}
