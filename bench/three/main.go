// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:12:00Z
// Spec: openspec/specs/runner/spec.md#requirement-three-platforms-in-the-time-of-one
// Diagram: openspec/specs/runner/diagram.md#stages

// Command three measures what building an image for three platforms at once
// costs in time, against building it for the slowest of them alone.
//
// Goal: one image for three platforms: at most 1.5 × its slowest platform alone
//
// Every round builds debian-12 of this project in a simulated lab for each
// platform alone, then for all three at once, as packer-hybrid build does it:
// real Packer, real Ansible, a guest for each. Nothing is shared between rounds
// but the lab. CPU time is that of everything: the builds, the guests and the
// simulated platforms.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab"
)

const (
	goal   = 1.5
	rounds = 3
	image  = "debian-12"
	limit  = 30 * time.Minute // of the whole measurement
)

var errMissed = errors.New("goal missed")

func main() {
	lab.Main() // guests are this program, started again
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "three:", err)
		os.Exit(1)
	}
}

// sample is what one build took.
type sample struct{ wall, cpu time.Duration }

func measure() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "bench-three-")
	if err != nil {
		return fmt.Errorf("making a scratch directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program, project := filepath.Join(dir, "packer-hybrid"), filepath.Join(dir, "project")
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./cmd/packer-hybrid").CombinedOutput(); err != nil {
		return fmt.Errorf("building packer-hybrid: %w\n%s", err, out)
	}
	if out, err := exec.CommandContext(ctx, program, "init", project).CombinedOutput(); err != nil {
		return fmt.Errorf("making a project: %w\n%s", err, out)
	}
	l, err := lab.Start(ctx, lab.Config{Log: os.Stderr})
	if err != nil {
		return fmt.Errorf("starting the lab: %w", err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	build := func(platforms ...string) (sample, error) {
		cmd := exec.CommandContext(ctx, program, "-C", project, "build", image, "--env", "lab", "--rebuild", "--platforms", strings.Join(platforms, ","))
		cmd.Env = append(os.Environ(), l.Env()...)
		s, err := run(cmd)
		if err == nil {
			fmt.Fprintf(os.Stderr, "%s: %.1f s\n", strings.Join(platforms, ", "), s.wall.Seconds())
		}
		return s, err
	}
	return compare(build)
}

// compare takes the rounds and prints the verdict.
func compare(build func(platforms ...string) (sample, error)) error {
	names := hybridcore.PlatformNames()
	alone, together := map[string][]sample{}, []sample{}
	for range rounds {
		for _, name := range names {
			s, err := build(name)
			if err != nil {
				return fmt.Errorf("building for %s: %w", name, err)
			}
			alone[name] = append(alone[name], s)
		}
		s, err := build(names...)
		if err != nil {
			return fmt.Errorf("building for all: %w", err)
		}
		together = append(together, s)
	}
	fmt.Printf("%d rounds, medians\n", rounds)
	var slowest sample
	for _, name := range names {
		m := median(alone[name])
		tell(name+" alone", m)
		if m.wall > slowest.wall {
			slowest = m
		}
	}
	all := median(together)
	tell("all three at once", all)
	ratio := all.wall.Seconds() / slowest.wall.Seconds()
	fmt.Printf("three ratio=%.2f goal=%.2f\n", ratio, goal)
	if ratio > goal {
		return errMissed
	}
	return nil
}

func tell(what string, s sample) {
	fmt.Printf("%-18s wall %5.1f s  cpu %5.1f s\n", what, s.wall.Seconds(), s.cpu.Seconds())
}

// run runs one build to its end.
func run(cmd *exec.Cmd) (sample, error) {
	start, before := time.Now(), spent()
	if out, err := cmd.CombinedOutput(); err != nil {
		return sample{}, fmt.Errorf("%w\n%s", err, out)
	}
	return sample{time.Since(start), spent() - before}, nil
}

// spent is the CPU time of this process, which serves the platforms, and of
// all children that have ended.
func spent() time.Duration {
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		if syscall.Getrusage(who, &usage) == nil { // fails only for an unknown who
			sum += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		}
	}
	return sum
}

// median is the sample with the median wall time.
func median(all []sample) sample {
	slices.SortFunc(all, func(a, b sample) int { return int(a.wall - b.wall) })
	return all[len(all)/2]
}
