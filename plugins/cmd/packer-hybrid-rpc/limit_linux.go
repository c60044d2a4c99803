// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:47:17Z
// Spec: openspec/specs/full-validation/spec.md#requirement-a-program-of-its-own
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package main

import "syscall"

// limitMemory bounds the memory of this process and of those that it starts.
func limitMemory(bytes uint64) {
	// lowering cannot fail but below what is in use
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: bytes, Max: bytes})
}
