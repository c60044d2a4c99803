// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:36:05Z
// Spec: openspec/specs/sources/spec.md#requirement-exactly-the-pinned-commits
// Diagram: openspec/specs/sources/diagram.md#sync

// Command sync measures what bringing the upstream repositories to their pins
// costs: nothing to do, against git status in each checkout one after the
// other; and the first time, against git submodule update --init --jobs 4 in
// time and against full clones in bytes of git objects. The repositories have
// a generated history, or are the mirrors of a folder given with -mirror, which
// then must be those of the project's own lock. Each side is taken in turn,
// round after round.
//
// Goal: no-op at most 1/5 of git status; first sync at most 1/4 of a clone's bytes and at most 1/2 of submodule
// update's time
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/upstreams"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
)

// Goals: the shares that our way may take of today's.
const (
	goalNoop  = 1.0 / 5
	goalBytes = 1.0 / 4
	goalFirst = 1.0 / 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	r, err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench sync:", err)
		os.Exit(2)
	}
	fmt.Printf("sync-noop ratio=%.3f goal=%.2f\nsync-bytes ratio=%.3f goal=%.2f\nsync ratio=%.2f goal=%.2f\n",
		r.noop, goalNoop, r.bytes, goalBytes, r.first, goalFirst)
	if r.noop > goalNoop || r.bytes > goalBytes || r.first > goalFirst {
		os.Exit(1)
	}
}

// ratios are ours divided by today's.
type ratios struct{ noop, bytes, first float64 }

// sides are the times of both ways of one thing, round by round.
type sides struct{ ours, today []sample }

// sample is what one thing took: our process and its ended children.
type sample struct{ wall, cpu time.Duration }

func run(ctx context.Context, args []string, out io.Writer) (_ ratios, err error) {
	fs := flag.NewFlagSet("sync", flag.ContinueOnError)
	mirror := fs.String("mirror", "", "folder of mirrors to take instead of generated repositories")
	rounds := fs.Int("rounds", 5, "how often each side makes its first sync; no-ops are taken 20 times as often")
	if err := fs.Parse(args); err != nil {
		return ratios{}, fmt.Errorf("reading the arguments: %w", err)
	}
	if *rounds < 3 {
		return ratios{}, errors.New("-rounds must be at least 3")
	}
	work, err := os.MkdirTemp("", "bench-sync-")
	if err != nil {
		return ratios{}, fmt.Errorf("making the work directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	b, err := prepare(ctx, work, *mirror)
	if err != nil {
		return ratios{}, err
	}
	var first, noop sides
	var ourBytes int64
	for round := range *rounds {
		if ourBytes, err = b.first(ctx, &first, round); err != nil {
			return ratios{}, err
		}
	}
	for range *rounds * 20 {
		if err := b.noop(ctx, &noop); err != nil {
			return ratios{}, err
		}
	}
	cloned, err := b.cloneBytes(ctx)
	if err != nil {
		return ratios{}, err
	}
	fmt.Fprintf(out, "%d repositories\n%-24s %12s %12s %12s %8s\n", len(b.repositories), "", "median", "90%", "cpu median",
		"ratio")
	r := ratios{bytes: float64(ourBytes) / float64(cloned)}
	r.first = report(out, first, "submodule update", "first sync")
	r.noop = report(out, noop, "git status", "sync, nothing to do")
	fmt.Fprintf(out, "git objects: %.2f MiB by sync, %.2f MiB by full clones\n", mib(ourBytes), mib(cloned))
	return r, nil
}

// first makes the checkouts anew, our way and with submodules.
func (b *bench) first(ctx context.Context, s *sides, round int) (int64, error) {
	ours := filepath.Join(b.work, "ours")
	if err := b.project(ours); err != nil {
		return 0, err
	}
	var total int64
	ourWay := func() error {
		results, err := b.syncer(ours).Sync(ctx, nil)
		for _, r := range results {
			total += r.Bytes
		}
		return err
	}
	super := filepath.Join(b.work, "super")
	if err := b.superproject(ctx, super); err != nil {
		return 0, err
	}
	todaysWay := func() error {
		_, err := upstreams.Git(ctx, super, "submodule", "--quiet", "update", "--init", "--jobs", "4")
		return err
	}
	err := s.measure(round, ourWay, todaysWay)
	return total, err
}

// noop looks at checkouts that are at their pins.
func (b *bench) noop(ctx context.Context, s *sides) error {
	ours := filepath.Join(b.work, "ours")
	return s.measure(len(s.ours), func() error {
		results, err := b.syncer(ours).Sync(ctx, nil)
		if slices.ContainsFunc(results, func(r sources.Synced) bool { return r.Fetched }) {
			return errors.New("something was fetched again")
		}
		return err
	}, func() error {
		for _, r := range b.repositories {
			if _, err := upstreams.Git(ctx, filepath.Join(ours, sources.Dir, r.Name), "status", "--porcelain"); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bench) syncer(root string) *sources.Syncer {
	return &sources.Syncer{Root: root, Environ: os.Environ(), Mirror: b.mirror}
}

// measure takes both sides, the first one in every other round.
func (s *sides) measure(round int, ours, today func() error) error {
	type side struct {
		do   func() error
		into *[]sample
	}
	order := []side{{ours, &s.ours}, {today, &s.today}}
	if round%2 == 1 {
		slices.Reverse(order)
	}
	for _, o := range order {
		cpu, start := cpuTime(), time.Now()
		if err := o.do(); err != nil {
			return err
		}
		*o.into = append(*o.into, sample{time.Since(start), cpuTime() - cpu})
	}
	return nil
}

// cpuTime is the processor time of this process and its ended children.
func cpuTime() time.Duration {
	var total time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			total += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return total
}

// report prints both sides and returns the ratio of the medians.
func report(out io.Writer, s sides, today, ours string) float64 {
	base := quantile(s.today, 50).wall
	ratio := float64(quantile(s.ours, 50).wall) / float64(base)
	fmt.Fprintf(out, "%-24s %12v %12v %12v %8.3f\n", today, base, quantile(s.today, 90).wall, quantile(s.today, 50).cpu,
		1.0)
	fmt.Fprintf(out, "%-24s %12v %12v %12v %8.3f\n", ours, quantile(s.ours, 50).wall, quantile(s.ours, 90).wall,
		quantile(s.ours, 50).cpu, ratio)
	return ratio
}

// quantile is the wall time, and the processor time, below which that share of
// the samples lies, in percent.
func quantile(samples []sample, percent int) sample {
	var wall, cpu []time.Duration
	for _, s := range samples {
		wall, cpu = append(wall, s.wall), append(cpu, s.cpu)
	}
	slices.Sort(wall)
	slices.Sort(cpu)
	at := min(len(samples)*percent/100, len(samples)-1)
	return sample{wall[at].Round(time.Microsecond), cpu[at].Round(time.Microsecond)}
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }
