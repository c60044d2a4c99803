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

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/loop"
)

const (
	goal    = 1000.0
	targets = 45
	rounds  = 11
	limit   = 8 * time.Minute // of the whole measurement
)

var errMissed = errors.New("goal missed")

func main() {
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "unchanged:", err)
		os.Exit(1)
	}
}

func measure() error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "bench-unchanged-")
	if err != nil {
		return fmt.Errorf("making a scratch directory: %w", err)
	}
	defer os.RemoveAll(dir)
	tree, err := loop.New(ctx, dir, targets)
	if err != nil {
		return err
	}
	plain, err := tree.Validate(ctx)
	if err != nil {
		return err
	}
	again := func() (time.Duration, string, error) { return tree.Hybrid(ctx, "validate", "--with", "packer") }
	if _, out, err := again(); err != nil {
		return fmt.Errorf("validating the first time: %w\n%s", err, out)
	}
	var walls []time.Duration
	for range rounds {
		wall, out, err := again()
		if err != nil || !strings.Contains(out, "cached verdict of run") || strings.Count(out, " validated ") != targets {
			return fmt.Errorf("validating again: %w\n%s", err, out)
		}
		walls = append(walls, wall)
	}
	slices.Sort(walls)
	median := walls[len(walls)/2]
	ratio := plain.Seconds() / median.Seconds()
	fmt.Printf("%d targets; the loop once, packer-hybrid %d times, median\n", targets, rounds)
	fmt.Printf("packer validate, %d at a time    wall %8.1f ms\n", loop.Jobs, ms(plain))
	fmt.Printf("packer-hybrid validate, again   wall %8.1f ms (fastest %.1f)\n", ms(median), ms(walls[0]))
	fmt.Printf("unchanged ratio=%.0f goal=%.0f\n", ratio, goal)
	if ratio < goal {
		return errMissed
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
