// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:09:11Z
// Spec: openspec/specs/full-validation/spec.md#requirement-faster-than-the-loop
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

// Command packer measures what packer-hybrid gains where Packer itself has to validate.
//
// Goal: at least 1.3 times as fast as packer validate of the same targets, two at a time
//
// Both sides run packer validate for each target, two at a time. packer-hybrid
// gives each target a plugin directory with what it requires and nothing else,
// answers for tools that plugins ask for their version, and has the processes
// collect garbage rarely.
package main

import "github.com/packer-hybrid/packer-hybrid/bench/internal/loop"

func main() {
	loop.Bench{
		Name: "packer", Goal: 1.3, Rounds: 3,
		Args: []string{"validate", "--with", "packer", "--no-cache", "--parallel", "2"},
	}.Main()
}
