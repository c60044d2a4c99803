// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:12:00Z
// Spec: openspec/specs/runner/spec.md#requirement-three-platforms-in-the-time-of-one
// Diagram: openspec/specs/runner/diagram.md#stages

// Command three measures what building an image for three platforms at once
// costs in time, against building it for the slowest of them alone.
//
// Goal: one image for three platforms, at their own pace: at most 1.5 × its slowest platform alone
//
// Every round builds debian-12 of this project in a simulated lab for each
// platform alone, then for all three at once, as packer-hybrid build does it:
// real Packer, real Ansible, a guest for each. Nothing is shared between rounds
// but the lab. CPU time is that of everything: the builds, the guests and the
// simulated platforms.
//
// It does so at two paces. At the platforms' own pace, which the goal is about,
// Packer waits for what real platforms wait for: the templates' own times for
// boot loaders, installers and addresses (10 s from power-on to the first key,
// the pauses of the boot command, 5 s for a settled address), and Azure's
// deletions, which its client asks for every 10 s. The installation itself,
// which takes real ones minutes, still takes no time. At the lab's pace nothing
// is waited for: a build is then work for one processor, so that on N
// processors three at once cannot take less than 3/N of one alone. That ratio
// is printed beside.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab"
)

const (
	goal  = 1.5
	image = "debian-12"
	limit = 60 * time.Minute // of the whole measurement
)

// shortcuts are the settings with which the lab's environment passes over the
// waits of the templates.
var shortcuts = map[string][]string{
	"common.pkrvars.hcl":  {"boot_wait", "boot_keygroup_interval", "boot_command_waits"},
	"vsphere.pkrvars.hcl": {"ip_settle_timeout"},
}

func main() {
	lab.Main() // guests are this program, started again
	fast := flag.Int("fast", 3, "rounds at the lab's pace")
	own := flag.Int("own", 1, "rounds at the platforms' own pace; most of their time is fixed")
	flag.Parse()
	timing.Main("three", limit, func(ctx context.Context, dir string) error {
		program, err := timing.Build(ctx, dir)
		if err != nil {
			return err
		}
		lean, err := at(ctx, pace{name: "lab", dir: filepath.Join(dir, "lab"), program: program, rounds: *fast})
		if err != nil {
			return err
		}
		ratio, err := at(ctx, pace{
			name: "platforms", dir: filepath.Join(dir, "platforms"), program: program, rounds: *own,
			waits: true,
		})
		if err != nil {
			return err
		}
		load, _ := os.ReadFile("/proc/loadavg") // only told
		fmt.Printf("at the lab's pace ratio=%.2f, on %d processors at least %.2f; load average %s", lean, runtime.NumCPU(),
			3/float64(runtime.NumCPU()), load)
		return timing.Verdict("three", ratio, goal, ratio <= goal)
	})
}

// pace is one way to measure.
type pace struct {
	name    string
	dir     string // of the project
	program string
	rounds  int
	waits   bool // as real platforms have them
}

// at measures at one pace and returns the ratio.
func at(ctx context.Context, p pace) (ratio float64, err error) {
	if out, err := exec.CommandContext(ctx, p.program, "init", p.dir).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("making a project: %w\n%s", err, out)
	}
	if p.waits {
		if err := dropShortcuts(p.dir); err != nil {
			return 0, err
		}
	}
	l, err := lab.Start(ctx, lab.Config{Log: os.Stderr, FaithfulAzure: p.waits})
	if err != nil {
		return 0, fmt.Errorf("starting the lab: %w", err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	build := func(platforms ...string) (timing.Sample, error) {
		cmd := exec.CommandContext(ctx, p.program, "-C", p.dir, "build", image, "--env", "lab", "--rebuild", "--platforms",
			strings.Join(platforms, ","))
		cmd.Env = append(os.Environ(), l.Env()...)
		s, err := run(cmd)
		if err == nil {
			fmt.Fprintf(os.Stderr, "%s: %.1f s\n", strings.Join(platforms, ", "), s.Wall.Seconds())
		}
		return s, err
	}
	return compare(p, build)
}

// dropShortcuts takes the lab's shortcuts out of a project, so that the
// templates' own times stand.
func dropShortcuts(project string) error {
	for file, names := range shortcuts {
		path := filepath.Join(project, "configs", "lab", file)
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading the lab's environment: %w", err)
		}
		for _, name := range names {
			rest := regexp.MustCompile(`(?m)^`+name+` +=.*\n`).ReplaceAll(text, nil)
			if len(rest) == len(text) {
				return fmt.Errorf("%s does not set %s: the measurement would not know what it waits for", path, name)
			}
			text = rest
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return fmt.Errorf("writing the lab's environment: %w", err)
		}
	}
	return nil
}

// compare takes the rounds, prints them and returns the ratio.
func compare(p pace, build func(platforms ...string) (timing.Sample, error)) (float64, error) {
	names := hybridcore.PlatformNames()
	alone, together := map[string][]timing.Sample{}, []timing.Sample{}
	for range p.rounds {
		for _, name := range names {
			s, err := build(name)
			if err != nil {
				return 0, fmt.Errorf("building for %s: %w", name, err)
			}
			alone[name] = append(alone[name], s)
		}
		s, err := build(names...)
		if err != nil {
			return 0, fmt.Errorf("building for all: %w", err)
		}
		together = append(together, s)
	}
	fmt.Printf("at the pace of the %s: %d rounds, medians\n", p.name, p.rounds)
	var slowest timing.Sample
	for _, name := range names {
		m := median(alone[name])
		tell(name+" alone", m)
		if m.Wall > slowest.Wall {
			slowest = m
		}
	}
	all := median(together)
	tell("all three at once", all)
	return all.Wall.Seconds() / slowest.Wall.Seconds(), nil
}

func tell(what string, s timing.Sample) {
	fmt.Printf("%-18s wall %5.1f s  cpu %5.1f s\n", what, s.Wall.Seconds(), s.CPU.Seconds())
}

// run runs one build to its end.
func run(cmd *exec.Cmd) (timing.Sample, error) {
	start, before := time.Now(), spent()
	if out, err := cmd.CombinedOutput(); err != nil {
		return timing.Sample{}, fmt.Errorf("%w\n%s", err, out)
	}
	return timing.Sample{Wall: time.Since(start), CPU: spent() - before}, nil
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
func median(all []timing.Sample) timing.Sample {
	slices.SortFunc(all, func(a, b timing.Sample) int { return int(a.Wall - b.Wall) })
	return all[len(all)/2]
}
