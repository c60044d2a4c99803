// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:25:54Z
// Spec: openspec/specs/full-validation/spec.md#requirement-faster-than-the-loop
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package loop

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
)

// Targets is how many targets are validated.
const Targets = 45

// limit is that of a whole measurement.
const limit = 10 * time.Minute

// Bench is a measurement of one command against the loop. The loop runs once,
// as it takes half a minute: after half of the command's rounds, so that a
// machine that gets faster or slower meanwhile favours neither side.
type Bench struct {
	Name   string
	Goal   float64 // times as fast as the loop
	Rounds int
	Args   []string // of packer-hybrid
	Cached bool     // a first run fills the cache, and each later one has to say so
}

// Main measures and ends the process.
func (b Bench) Main() { timing.Main(b.Name, limit, b.measure) }

func (b Bench) measure(ctx context.Context, dir string) error {
	tree, err := New(ctx, dir, Targets)
	if err != nil {
		return err
	}
	if b.Cached {
		if out, _, err := tree.Hybrid(ctx, b.Args...); err != nil {
			return fmt.Errorf("validating the first time: %w\n%s", err, out)
		}
	}
	var plain timing.Sample
	var ours []timing.Sample
	for round := range b.Rounds {
		if round == b.Rounds/2 {
			if plain, err = tree.Validate(ctx); err != nil { // it fails unless every target is valid on this side too
				return err
			}
		}
		out, s, err := tree.Hybrid(ctx, b.Args...)
		if err != nil || strings.Count(out, " validated ") != Targets ||
			b.Cached != strings.Contains(out, "cached verdict of run") {
			return fmt.Errorf("validating: %w\n%s", err, out)
		}
		ours = append(ours, s)
	}
	m := timing.Median(ours)
	fmt.Printf("%d targets, all valid on both sides; the loop once, packer-hybrid %d times, median\n", Targets, b.Rounds)
	what := "packer-hybrid " + strings.Join(b.Args, " ")
	fmt.Printf("%-44s wall %8.1f ms  cpu %8.1f ms\n", fmt.Sprintf("packer validate, %d at a time", Jobs),
		timing.MS(plain.Wall), timing.MS(plain.CPU))
	fmt.Printf("%-44s wall %8.1f ms  cpu %8.1f ms\n", what, timing.MS(m.Wall), timing.MS(m.CPU))
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Printf("load average %s", load)
	}
	ratio := plain.Wall.Seconds() / m.Wall.Seconds()
	fmt.Printf("cpu ratio=%.1f\n", plain.CPU.Seconds()/m.CPU.Seconds())
	return timing.Verdict(b.Name, ratio, b.Goal, ratio >= b.Goal)
}
