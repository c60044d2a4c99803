// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:47:17Z
// Spec: openspec/specs/full-validation/spec.md#requirement-a-program-of-its-own
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

//go:build unix && !linux

package main

// limitMemory has no portable form that Go programs bear.
func limitMemory(uint64) {}
