// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:09:11Z
// Spec: openspec/specs/full-validation/spec.md#requirement-faster-than-the-loop
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

// Command prepare measures the validation by the real plugins, each started directly.
//
// Goal: at least 12 times as fast as packer validate of the same targets, two at a time
//
// One side is packer validate in the staged folder of each target; the other is
// `packer-hybrid validate --full`, a whole process that plans, checks, stages and
// has packer-hybrid-rpc ask the same plugins. A test of runner holds the verdicts
// of both sides to each other, case by case.
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
	goal    = 12.0
	targets = 45
	rounds  = 3
	limit   = 10 * time.Minute // of the whole measurement
)

var errMissed = errors.New("goal missed")

func main() {
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "prepare:", err)
		os.Exit(1)
	}
}

func measure() error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return fmt.Errorf("making a scratch directory: %w", err)
	}
	defer os.RemoveAll(dir)
	tree, err := loop.New(ctx, dir, targets)
	if err != nil {
		return err
	}
	var walls []time.Duration
	for range rounds {
		wall, out, err := tree.Hybrid(ctx, "validate", "--full")
		if err != nil || strings.Count(out, " validated ") != targets {
			return fmt.Errorf("validating: %w\n%s", err, out)
		}
		walls = append(walls, wall)
	}
	plain, err := tree.Validate(ctx) // it fails unless every target is valid here too
	if err != nil {
		return err
	}
	slices.Sort(walls)
	median := walls[len(walls)/2]
	ratio := plain.Seconds() / median.Seconds()
	fmt.Printf("%d targets, all valid on both sides; the loop once, packer-hybrid %d times, median\n", targets, rounds)
	fmt.Printf("packer validate, %d at a time             wall %8.1f ms\n", loop.Jobs, float64(plain.Microseconds())/1000)
	fmt.Printf("packer-hybrid validate --full            wall %8.1f ms (slowest %.1f)\n", float64(median.Microseconds())/1000, float64(walls[len(walls)-1].Microseconds())/1000)
	fmt.Printf("prepare ratio=%.1f goal=%.0f\n", ratio, goal)
	if ratio < goal {
		return errMissed
	}
	return nil
}
