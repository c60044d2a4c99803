// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:25:54Z
// Spec: openspec/specs/benchmarks/spec.md#requirement-both-sides-in-one-run
// Diagram: openspec/specs/benchmarks/diagram.md#both-sides-in-turn

// Package timing is what all measurements have in common: their frame, the
// program that they measure, and what a run takes.
package timing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrMissed says that the goal was missed. The measurement has said so already.
var ErrMissed = errors.New("goal missed")

// Main runs a measurement with a scratch directory, within a time, and ends the
// process: 0 when the goal is met, 1 otherwise.
func Main(name string, limit time.Duration, measure func(ctx context.Context, dir string) error) {
	err := within(name, limit, measure)
	if err != nil && !errors.Is(err, ErrMissed) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func within(name string, limit time.Duration, measure func(ctx context.Context, dir string) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "bench-"+name+"-")
	if err != nil {
		return fmt.Errorf("making a scratch directory: %w", err)
	}
	return errors.Join(measure(ctx, dir), os.RemoveAll(dir))
}

// Verdict prints the last line of a measurement. better says that the ratio
// meets the goal.
func Verdict(name string, ratio, goal float64, better bool) error {
	fmt.Printf("%s ratio=%.2f goal=%.2f\n", name, ratio, goal)
	if !better {
		return ErrMissed
	}
	return nil
}

// Build makes packer-hybrid below a directory, as make build does.
func Build(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "packer-hybrid")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./cmd/packer-hybrid")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building packer-hybrid: %w\n%s", err, out)
	}
	return program, nil
}

// Sample is what one run of a side took. CPU time is the kernel's (rusage of
// the child and its children).
type Sample struct{ Wall, CPU time.Duration }

// Output runs a command and returns its standard output and what it took. An
// error is that of the command: the caller says which exit codes are right.
func Output(cmd *exec.Cmd) ([]byte, Sample, error) {
	start := time.Now()
	out, err := cmd.Output()
	s := Sample{Wall: time.Since(start)}
	if cmd.ProcessState != nil {
		s.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	if err != nil {
		return out, s, fmt.Errorf("running %s: %w", filepath.Base(cmd.Path), err)
	}
	return out, s, nil
}

// Memory is what the kernel says of a process's memory, MiB: VmHWM is its peak,
// VmRSS what it has now. It is 0 when the process has ended.
func Memory(pid int, what string) float64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), what+":")
	kb, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.ParseFloat(kb, 64)
	if err != nil {
		return 0
	}
	return n / 1024
}

// Median returns the medians of wall and CPU time.
func Median(all []Sample) Sample {
	wall, cpu := make([]time.Duration, len(all)), make([]time.Duration, len(all))
	for i, s := range all {
		wall[i], cpu[i] = s.Wall, s.CPU
	}
	slices.Sort(wall)
	slices.Sort(cpu)
	return Sample{wall[len(all)/2], cpu[len(all)/2]}
}

// MS is a duration in milliseconds.
func MS(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
