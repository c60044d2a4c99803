// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:37:40Z
// Spec: openspec/specs/full-validation/spec.md#requirement-plugins-run-bounded
// Diagram: openspec/specs/full-validation/diagram.md#one-component

//go:build unix && !linux

package component

import "syscall"

// ownGroup puts a plugin into a process group of its own.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
