// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:12:27Z
// Spec: openspec/specs/state/spec.md#requirement-immutable-records
// Diagram: openspec/specs/state/diagram.md#append

// Command state measures how long a state of 10,000 records takes to answer:
// `status`, which needs the snapshot and the leases only, and `inspect` of the
// last run, which lists the records. The state has 45 targets, each with a lease
// that was released. There is no other side: nothing that people use today
// answers this question. What a durable record costs is printed, without a goal, and how
// many requests each operation asks of a bucket and of a git repository over HTTP.
//
// Goal: status of a state with 10,000 records within 200 ms
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
)

const (
	goal    = 200 * time.Millisecond
	records = 10_000
	targets = 45
	appends = 100 // of which the cost is printed
	rounds  = 11
	limit   = 4 * time.Minute // of the whole measurement
)

func main() { timing.Main("state", limit, measure) }

func measure(ctx context.Context, dir string) error {
	hybrid, err := timing.Build(ctx, dir)
	if err != nil {
		return err
	}
	project := filepath.Join(dir, "project")
	if out, err := exec.CommandContext(ctx, hybrid, "init", project).CombinedOutput(); err != nil {
		return fmt.Errorf("making the project: %w\n%s", err, out)
	}
	if err := fill(ctx, filepath.Join(project, "state")); err != nil {
		return err
	}
	fmt.Printf("%d records, %d targets, %d rounds, medians\n", records, targets, rounds)
	var status timing.Sample
	for _, verb := range []string{"status", "inspect"} {
		var all []timing.Sample
		for range rounds {
			out, took, err := timing.Output(exec.CommandContext(ctx, hybrid, "-C", project, verb))
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", verb, err, out)
			}
			all = append(all, took)
		}
		m := timing.Median(all)
		if verb == "status" {
			status = m
		}
		fmt.Printf("%-8s wall %6.1f ms  cpu %6.1f ms\n", verb, timing.MS(m.Wall), timing.MS(m.CPU))
	}
	if err := requests(ctx); err != nil {
		return err
	}
	return timing.Verdict("state", status.Wall.Seconds()/goal.Seconds(), 1, status.Wall <= goal)
}

// fill makes the state: most of it in memory where that can be had, where a sync
// costs nothing, the last records on the disk.
func fill(ctx context.Context, dir string) (err error) {
	seed, err := os.MkdirTemp("/dev/shm", "bench-state-")
	if err != nil {
		seed, err = os.MkdirTemp("", "bench-state-")
	}
	if err != nil {
		return fmt.Errorf("making the seed: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(seed)) }()
	s, err := directory.Open(seed)
	if err != nil {
		return err
	}
	for i := range records - appends {
		if err := s.Append(ctx, sample(i), nil); err != nil {
			return err
		}
	}
	if err := build(ctx, s); err != nil {
		return err
	}
	if err := os.CopyFS(dir, os.DirFS(seed)); err != nil {
		return fmt.Errorf("copying the seed: %w", err)
	}
	if s, err = directory.Open(dir); err != nil {
		return err
	}
	start := time.Now()
	for i := range appends {
		if err := s.Append(ctx, sample(records-appends+i), nil); err != nil {
			return err
		}
	}
	fmt.Printf("a durable record takes %.1f ms\n", timing.MS(time.Since(start))/appends)
	return nil
}

// build makes all targets current, and leaves their leases as runs do.
func build(ctx context.Context, s *state.Store) error {
	for i := range targets {
		held, err := s.Acquire(ctx, hybridcore.Lease{Key: key(i), RunID: runID(i)})
		if err == nil {
			err = held.Release(ctx)
		}
		if err != nil {
			return err
		}
	}
	return s.Update(ctx, func(snapshot *hybridcore.Snapshot) error {
		for i := range targets {
			snapshot.Targets[key(i)] = hybridcore.Current{
				RunID: runID(i), At: at(), Digest: strings.Repeat("cd", 32), Recipe: strings.Repeat("ef", 32), Inputs: inputs(),
			}
		}
		return nil
	})
}

func key(n int) string { return fmt.Sprintf("lab/image-%d@vsphere", n) }

func runID(n int) string { return fmt.Sprintf("20261122t224501-%08x", n) }

func at() time.Time { return time.Date(2026, 11, 22, 22, 45, 0, 0, time.UTC) }

func inputs() map[string]string {
	all := map[string]string{}
	for i := range 16 {
		all[fmt.Sprintf("file:ansible/roles/base/tasks/part-%02d.yml", i)] = strings.Repeat("0123456789abcdef", 4)
	}
	return all
}

// sample is the record of a run that built one target.
func sample(n int) hybridcore.Record {
	var steps []hybridcore.Step
	for range 12 {
		steps = append(steps, hybridcore.Step{
			Name: "Waiting for IP address of the virtual machine...", At: at(), Duration: time.Second,
		})
	}
	id := runID(n)
	return hybridcore.Record{
		RunID: id, At: at(), Duration: 95 * time.Second, Status: hybridcore.Built, PlanDigest: strings.Repeat("ab", 32),
		Request:  hybridcore.Request{ID: id, Action: hybridcore.ActionBuild, Env: "lab", Images: []string{"debian-12"}},
		Versions: map[string]string{"packer": "1.15.0", "plugin:github.com/hashicorp/vsphere": "1.4.2"},
		Results: []hybridcore.Result{{
			Target: "debian-12@vsphere", Image: "debian-12", Platform: hybridcore.VSphere, Status: hybridcore.Built,
			Digest: strings.Repeat("cd", 32), Recipe: strings.Repeat("ef", 32), Inputs: inputs(), Steps: steps, Started: at(),
			Duration: 90 * time.Second,
		}},
	}
}
