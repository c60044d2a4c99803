// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:57:48Z
// Spec: openspec/specs/packer/spec.md#requirement-owned-child-process
// Diagram: openspec/specs/packer/diagram.md#one-job

//go:build unix && !linux

package packer

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// ownGroup puts a child into a process group of its own. There is no
// parent-death signal outside Linux.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

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

// process is a whole process group: there is no process table to read.
type process struct{ group int }

// survivors says whether the group has a living member.
func survivors(group int, _ string) []process {
	if syscall.Kill(-group, 0) != nil {
		return nil
	}
	return []process{{group: group}}
}

func (p process) signal(sig syscall.Signal) {
	_ = syscall.Kill(-p.group, sig) // it may have ended
}
