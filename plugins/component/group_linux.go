// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:37:40Z
// Spec: openspec/specs/full-validation/spec.md#requirement-plugins-run-bounded
// Diagram: openspec/specs/full-validation/diagram.md#one-component

package component

import "syscall"

// ownGroup puts a plugin into a process group of its own and has the kernel end
// it with us: it holds nothing that could be lost.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
