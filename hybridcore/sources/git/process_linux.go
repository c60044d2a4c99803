// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:51Z
// Spec: openspec/specs/sources/spec.md#requirement-hardened-git
// Diagram: openspec/specs/sources/diagram.md#sync

package git

import (
	"fmt"
	"os/exec"
	"syscall"
)

// Own puts git and its helpers into a group of their own, which is killed as a
// whole, and lets the kernel kill git when we die. What it leaves is in a
// temporary folder that the next sync removes.
func Own(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return killGroup(cmd) }
}

func killGroup(cmd *exec.Cmd) error {
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("ending git: %w", err)
	}
	return nil
}
