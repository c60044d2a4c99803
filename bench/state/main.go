// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:12:27Z
// Spec: openspec/specs/state/spec.md#requirement-immutable-records
// Diagram: openspec/specs/state/diagram.md#append

// Command state measures what a durable record costs: appending one through
// hybridcore/state, to a state of 10 and to one of 10,000 records, against
// writing and syncing the same bytes at the end of an open file. The three are
// taken in turn, round after round, on the same disk. The ratio is the worse of
// the two.
//
// Goal: at most 2 times a bare append + fsync, the same at 10 and at 10,000 records
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// goal bounds the ratio of the medians, for both sizes. Growth bounds what the
// large state may cost more than the small one before "the same" is denied: disks
// differ from one sync to the next.
const (
	goal   = 2.00
	growth = 1.50
)

// Sizes of the two states. The small one is replaced before it has doubled.
const (
	few  = 10
	many = 10_000
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ratio, grown, err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench state:", err)
		os.Exit(2)
	}
	fmt.Printf("state ratio=%.2f goal=%.2f\n", ratio, goal)
	if ratio > goal || grown > growth {
		os.Exit(1)
	}
}

// side is one way of storing a record, with what each round took.
type side struct {
	name   string
	before func(round int) error // not measured; may be nil
	append func(round int) error
	wall   []time.Duration
	cpu    []time.Duration
}

func (s *side) measure(round int) error {
	if s.before != nil {
		if err := s.before(round); err != nil {
			return err
		}
	}
	cpu, start := cpuTime(), time.Now()
	err := s.append(round)
	s.wall = append(s.wall, time.Since(start))
	s.cpu = append(s.cpu, cpuTime()-cpu)
	return err
}

// cpuTime is the processor time of this process so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// run measures and returns the worse of the two ratios, and what the large
// state costs against the small one.
func run(ctx context.Context, args []string, out io.Writer) (ratio, grown float64, err error) {
	fs := flag.NewFlagSet("state", flag.ContinueOnError)
	dir := fs.String("dir", ".", "directory on the disk to measure; not one in memory")
	rounds := fs.Int("rounds", 400, "how many records each side appends")
	if err := fs.Parse(args); err != nil {
		return 0, 0, fmt.Errorf("reading the arguments: %w", err)
	}
	if *rounds < 10 {
		return 0, 0, errors.New("-rounds must be at least 10")
	}
	work, err := os.MkdirTemp(*dir, ".bench-state-")
	if err != nil {
		return 0, 0, fmt.Errorf("making the work directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := checkDisk(work); err != nil {
		return 0, 0, err
	}
	sides, size, closeAll, err := prepare(work)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	for round := range *rounds {
		if err := ctx.Err(); err != nil {
			return 0, 0, fmt.Errorf("measuring: %w", err)
		}
		for i := range sides {
			s := &sides[(i+round)%len(sides)]
			if err := s.measure(round); err != nil {
				return 0, 0, fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	ratio, grown = report(out, sides, size)
	return ratio, grown, nil
}

// checkDisk refuses a file system in memory, where a sync costs nothing.
func checkDisk(dir string) error {
	const tmpfs, ramfs = 0x01021994, 0x858458f6
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return fmt.Errorf("looking at the disk: %w", err)
	}
	if uint32(s.Type) == tmpfs || uint32(s.Type) == ramfs {
		return fmt.Errorf("%s is in memory, where syncing is free; name a directory on a disk with -dir", dir)
	}
	return nil
}

// prepare makes the two states and the bare file.
func prepare(work string) (sides []side, size int, closeAll func() error, err error) {
	seed, err := seed(many)
	if err != nil {
		return nil, 0, nil, err
	}
	end := bytes.IndexByte(seed, '\n') + 1
	line, start := seed[:end], seed[:end*few] // all lines have one length
	large, err := stateOf(filepath.Join(work, "many"), seed)
	if err != nil {
		return nil, 0, nil, err
	}
	bare, err := os.OpenFile(filepath.Join(work, "bare"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, nil, fmt.Errorf("making the bare file: %w", err)
	}
	var small *state.Dir
	return []side{
		{name: "bare append + fsync", append: func(int) error {
			if _, err := bare.Write(line); err != nil {
				return fmt.Errorf("writing: %w", err)
			}
			return bare.Sync()
		}},
		{
			name: fmt.Sprintf("record, state of %d", few),
			before: func(round int) error { // keep it small
				if round%few != 0 {
					return nil
				}
				var err error
				small, err = stateOf(filepath.Join(work, fmt.Sprintf("few-%d", round)), start)
				return err
			},
			append: func(round int) error { return small.Append(context.Background(), sample(many+1+round), nil) },
		},
		{
			name:   fmt.Sprintf("record, state of %d", many),
			append: func(round int) error { return large.Append(context.Background(), sample(many+1+round), nil) },
		},
	}, len(line), bare.Close, nil
}

// seed is the log of n records, made in memory where that can be had.
func seed(n int) (_ []byte, err error) {
	dir, err := os.MkdirTemp("/dev/shm", "bench-state-")
	if err != nil {
		if dir, err = os.MkdirTemp("", "bench-state-"); err != nil {
			return nil, fmt.Errorf("making the seed: %w", err)
		}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d, err := state.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("making the seed: %w", err)
	}
	for i := range n {
		if err := d.Append(context.Background(), sample(i), nil); err != nil {
			return nil, fmt.Errorf("making the seed: %w", err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, logName))
	if err != nil {
		return nil, fmt.Errorf("making the seed: %w", err)
	}
	return text, nil
}

// stateOf opens a state that begins with that log, and appends one record so
// that the index and the disk's own structures are there.
func stateOf(dir string, log []byte) (*state.Dir, error) {
	d, err := state.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("making a state: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, logName), log, 0o600); err != nil {
		return nil, fmt.Errorf("making a state: %w", err)
	}
	if err := d.Append(context.Background(), sample(many), nil); err != nil {
		return nil, fmt.Errorf("making a state: %w", err)
	}
	return d, nil
}

// logName is the file of records within a state directory.
const logName = "records.jsonl"

// sample is the record of a run that built one target.
func sample(n int) hybridcore.Record {
	at := time.Date(2026, 11, 22, 22, 45, 0, 0, time.UTC)
	inputs := map[string]string{}
	for i := range 16 {
		inputs[fmt.Sprintf("file:ansible/roles/base/tasks/part-%02d.yml", i)] = strings.Repeat("0123456789abcdef", 4)
	}
	var steps []hybridcore.Step
	for range 12 {
		steps = append(steps, hybridcore.Step{Name: "Waiting for IP address of the virtual machine...", At: at, Duration: time.Second})
	}
	id := fmt.Sprintf("20261122t224501-%08x", n)
	return hybridcore.Record{
		RunID: id, At: at, Duration: 95 * time.Second, Status: hybridcore.Built, PlanDigest: strings.Repeat("ab", 32),
		Request:  hybridcore.Request{ID: id, Action: hybridcore.ActionBuild, Env: "lab", Images: []string{"debian-12"}},
		Versions: map[string]string{"packer": "1.15.0", "plugin:github.com/hashicorp/vsphere": "1.4.2"},
		Results: []hybridcore.Result{{
			Target: "debian-12@vsphere", Image: "debian-12", Platform: hybridcore.VSphere, Status: hybridcore.Built,
			Digest: strings.Repeat("cd", 32), Recipe: strings.Repeat("ef", 32), Inputs: inputs, Steps: steps, Started: at, Duration: 90 * time.Second,
		}},
	}
}

// report prints the medians and returns the worse ratio and the growth.
func report(out io.Writer, sides []side, size int) (worst, grown float64) {
	fmt.Fprintf(out, "records of %d bytes, %d rounds\n", size, len(sides[0].wall))
	fmt.Fprintf(out, "%-24s %12s %12s %12s %8s\n", "", "median", "90%", "cpu median", "ratio")
	base := quantile(sides[0].wall, 50)
	for i, s := range sides {
		ratio := float64(quantile(s.wall, 50)) / float64(base)
		if i > 0 {
			worst = max(worst, ratio)
		}
		fmt.Fprintf(out, "%-24s %12v %12v %12v %8.2f\n", s.name, quantile(s.wall, 50), quantile(s.wall, 90), quantile(s.cpu, 50), ratio)
	}
	grown = float64(quantile(sides[2].wall, 50)) / float64(quantile(sides[1].wall, 50))
	fmt.Fprintf(out, "state of %d against state of %d: %.2f (at most %.2f)\n", many, few, grown, growth)
	return worst, grown
}

// quantile is the value below which that share of the times lies, in percent.
func quantile(times []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)].Round(time.Microsecond)
}
