// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:38:24Z
// Spec: openspec/specs/plan/spec.md#requirement-speed-of-an-unchanged-validation
// Diagram: openspec/specs/plan/diagram.md#verdicts

// Command unchanged measures the validation of a tree that was validated before.
//
// Goal: at least 1,000 times as fast as packer validate of the same targets, two at a time
//
// The tree is the one that `packer-hybrid init` writes, with 45 images on
// vSphere: as many builds as the two public example frameworks have together.
// One side is packer validate, as a person types it, in the staged folder of
// each target, two at a time. The other is `packer-hybrid validate --with packer`, a whole
// process that digests the tree, the environment and the tools anew, finds the
// verdict and reports it. It runs eleven times for the loop's one, which takes
// half a minute; both use the same Packer and plugins.
package main

import "github.com/packer-hybrid/packer-hybrid/bench/internal/loop"

func main() {
	loop.Bench{
		Name: "unchanged", Goal: 1000, Rounds: 11, Args: []string{"validate", "--with", "packer"},
		Cached: true,
	}.Main()
}
