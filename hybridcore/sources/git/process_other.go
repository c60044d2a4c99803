// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:51Z
// Spec: openspec/specs/sources/spec.md#requirement-hardened-git
// Diagram: openspec/specs/sources/diagram.md#sync

//go:build !linux

package git

import (
	"fmt"
	"os/exec"
	"syscall"
)

// Own puts git and its helpers into a group of their own, which is killed as a
// whole.
func Own(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
			return fmt.Errorf("ending git: %w", err)
		}
		return nil
	}
}
