// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:09:11Z
// Spec: openspec/specs/full-validation/spec.md#requirement-faster-than-the-loop
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

// Command prepare measures the validation by the real plugins, each started directly.
//
// Goal: at least 12 times as fast as packer validate of the same targets, two at a time
//
// One side is packer validate in the staged folder of each target; the other is
// `packer-hybrid validate --full --no-cache`, a whole process that plans, checks, stages and
// has packer-hybrid-rpc ask the same plugins. A test of runner holds the verdicts
// of both sides to each other, case by case.
package main

import "github.com/packer-hybrid/packer-hybrid/bench/internal/loop"

func main() {
	loop.Bench{Name: "prepare", Goal: 12, Rounds: 3, Args: []string{"validate", "--full", "--no-cache"}}.Main()
}
