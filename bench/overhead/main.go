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
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
)

const (
	goalMS  = 100.0
	goalMiB = 64.0
	rounds  = 9
	limit   = 5 * time.Minute // of the whole measurement
)

func main() { timing.Main("overhead", limit, measure) }

func measure(ctx context.Context, dir string) error {
	b, err := prepare(ctx, dir)
	if err != nil {
		return err
	}
	defer b.close()
	var hand, ours []timing.Sample
	memory := 0.0 // the largest of all runs
	for range rounds {
		h, _, err := b.run(ctx, b.byHand())
		if err != nil {
			return fmt.Errorf("packer by hand: %w", err)
		}
		o, peak, err := b.run(ctx, b.build())
		if err != nil {
			return fmt.Errorf("packer-hybrid: %w", err)
		}
		hand, ours, memory = append(hand, h), append(ours, o), max(memory, peak)
	}
	h, o := timing.Median(hand), timing.Median(ours)
	over := timing.MS(o.Wall - h.Wall)
	fmt.Printf("%d rounds, medians\n", rounds)
	fmt.Printf("packer by hand       wall %6.0f ms  cpu %6.0f ms\n", timing.MS(h.Wall), timing.MS(h.CPU))
	fmt.Printf("packer-hybrid build  wall %6.0f ms  cpu %6.0f ms  own memory %.0f MiB (goal %.0f)\n", timing.MS(o.Wall),
		timing.MS(o.CPU), memory, goalMiB)
	fmt.Printf("difference           wall %6.0f ms (goal %.0f)\n", over, goalMS)
	ratio := max(over/goalMS, memory/goalMiB)
	return timing.Verdict("overhead", ratio, 1, ratio <= 1)
}

// byHand is the packer command on the staged directory.
func (b *bench) byHand() *exec.Cmd {
	manifest := filepath.Join(b.dir, "manifest.json")
	_ = os.Remove(manifest) // absent in the first round
	cmd := exec.Command(b.packer, "build", "-color=false", "-var-file="+filepath.Join(b.stage, "hand.pkrvars.hcl"),
		b.stage)
	cmd.Dir = b.stage
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "PACKER_PLUGIN_PATH="+b.plugins,
		"PKR_VAR_build_password=bench-password-1")
	return cmd
}

// build is the packer-hybrid command on the project.
func (b *bench) build() *exec.Cmd {
	cmd := exec.Command(b.hybrid, "-C", b.project, "build", "debian-12", "--env", "lab", "--rebuild", "--packer", b.packer,
		"--plugin-dir", b.plugins)
	cmd.Env = append(os.Environ(), b.vcenter.environ()...)
	return cmd
}

// run starts a command and measures it to its end, with the peak of the memory
// of its own process, MiB: the kernel's figure is of its children too.
func (b *bench) run(ctx context.Context, cmd *exec.Cmd) (s timing.Sample, peak float64, err error) {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return s, 0, fmt.Errorf("starting: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		select {
		case err := <-done:
			tick.Stop()
			s.Wall = time.Since(start)
			if err != nil {
				return s, 0, fmt.Errorf("%w\n%s", err, out.String())
			}
			s.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			return s, peak, nil
		case <-tick.C:
			peak = max(peak, timing.Memory(cmd.Process.Pid, "VmHWM"))
		case <-ctx.Done():
			_ = cmd.Process.Kill()
		}
	}
}
