// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:21:06Z
// Spec: openspec/specs/runner/spec.md#requirement-small-overhead-over-packer
// Diagram: openspec/specs/runner/diagram.md#stages

// Command overhead measures what packer-hybrid costs on top of Packer.
//
// Goal: build minus the same packer command by hand: at most 100 ms and 64 MiB
//
// Both sides build one target with the null builder and the plugins that a
// vSphere target requires, in turn in each round. The template registers its
// artifact in a simulated vCenter that runs in this process; packer-hybrid
// looks it up there. The other side is the packer command that a person types
// on an already staged directory: it plans, verifies, looks up and records
// nothing, so it does less.
package main

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

const (
	goalMS  = 100.0
	goalMiB = 64.0
	rounds  = 9
	limit   = 5 * time.Minute // of the whole measurement
)

var errMissed = errors.New("goal missed")

func main() {
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "overhead:", err)
		os.Exit(1)
	}
}

// sample is what one run of a side took.
type sample struct {
	wall, cpu time.Duration
	memory    float64 // peak of the started process alone, MiB
}

func measure() error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	b, err := prepare(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	var hand, ours []sample
	for range rounds {
		h, err := b.run(ctx, b.byHand())
		if err != nil {
			return fmt.Errorf("packer by hand: %w", err)
		}
		o, err := b.run(ctx, b.build())
		if err != nil {
			return fmt.Errorf("packer-hybrid: %w", err)
		}
		hand, ours = append(hand, h), append(ours, o)
	}
	h, o := median(hand), median(ours)
	over := float64((o.wall - h.wall).Microseconds()) / 1000
	fmt.Printf("%d rounds, medians\n", rounds)
	fmt.Printf("packer by hand       wall %6d ms  cpu %6d ms\n", h.wall.Milliseconds(), h.cpu.Milliseconds())
	fmt.Printf("packer-hybrid build  wall %6d ms  cpu %6d ms  own memory %.0f MiB (goal %.0f)\n", o.wall.Milliseconds(), o.cpu.Milliseconds(), o.memory, goalMiB)
	fmt.Printf("difference           wall %6.0f ms (goal %.0f)\n", over, goalMS)
	fmt.Printf("overhead ratio=%.2f goal=1.00\n", max(over/goalMS, o.memory/goalMiB))
	if over > goalMS || o.memory > goalMiB {
		return errMissed
	}
	return nil
}

// byHand is the packer command on the staged directory.
func (b *bench) byHand() *exec.Cmd {
	manifest := filepath.Join(b.dir, "manifest.json")
	_ = os.Remove(manifest) // absent in the first round
	cmd := exec.Command(b.packer, "build", "-color=false", "-var-file="+filepath.Join(b.stage, "hand.pkrvars.hcl"), b.stage)
	cmd.Dir = b.stage
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "PACKER_PLUGIN_PATH="+b.plugins, "PKR_VAR_build_password=bench-password-1")
	return cmd
}

// build is the packer-hybrid command on the project.
func (b *bench) build() *exec.Cmd {
	cmd := exec.Command(b.hybrid, "-C", b.project, "build", "debian-12", "--env", "lab", "--rebuild", "--packer", b.packer, "--plugin-dir", b.plugins)
	cmd.Env = append(os.Environ(), b.vcenter.environ()...)
	return cmd
}

// run starts a command, follows its peak memory, and measures it to its end.
func (b *bench) run(ctx context.Context, cmd *exec.Cmd) (sample, error) {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return sample{}, fmt.Errorf("starting: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	peak := 0.0
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case err := <-done:
			tick.Stop()
			wall := time.Since(start)
			if err != nil {
				return sample{}, fmt.Errorf("%w\n%s", err, out.String())
			}
			return sample{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak}, nil
		case <-tick.C:
			peak = max(peak, highWater(cmd.Process.Pid))
		case <-ctx.Done():
			_ = cmd.Process.Kill()
		}
	}
}

// highWater is the peak resident memory of one process, MiB.
func highWater(pid int) float64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0 // it has ended
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.ParseFloat(kb, 64)
	if err != nil {
		return 0
	}
	return n / 1024
}

// median is the sample with the median wall time, with the largest memory of all.
func median(all []sample) sample {
	slices.SortFunc(all, func(a, b sample) int { return int(a.wall - b.wall) })
	m := all[len(all)/2]
	for _, s := range all {
		m.memory = max(m.memory, s.memory)
	}
	return m
}
