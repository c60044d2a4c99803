// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:09:01Z
// Spec: openspec/specs/bot/spec.md#requirement-speed-of-the-acknowledgement
// Diagram: openspec/specs/bot/diagram.md#one-command

// Command ack measures how fast the bot acknowledges signed slash commands
// that it has stored, synced, against @slack/bolt, which stores nothing. Both
// are started as their user starts them, get the same commands over loopback by
// eight connections, in turn in each round. GitHub hangs all the while. Each side
// begins a round with nothing to do: before bolt's the bot has worked its queue
// off, which it would else do then. Memory is the largest resident set.
//
// Goal: at least 1.4 × bolt's requests/s, at most 1/2 of its p99 and below 300 ms, at most 1/4 of its memory
//
// With -long it sends 100,000 commands to the bot and compares its memory after
// 20,000 with that at the end: at most a tenth more.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
)

// Goals.
const (
	goalRate   = 1.4
	goalP99    = 0.5
	goalMemory = 0.25
	goalHung   = 300 * time.Millisecond
	goalGrowth = 1.1
	limit      = 20 * time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit)
	err := run(ctx, os.Args[1:])
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "ack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	fs := flag.NewFlagSet("ack", flag.ContinueOnError)
	rounds := fs.Int("rounds", 5, "how often each side is measured")
	count := fs.Int("n", 4000, "commands in a round")
	long := fs.Bool("long", false, "send 100,000 commands to the bot and watch its memory")
	if err := fs.Parse(args); err != nil {
		return fmt.Errorf("reading the arguments: %w", err)
	}
	dir, err := os.MkdirTemp("", "bench-ack-")
	if err != nil {
		return fmt.Errorf("making the work directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ours, err := startBot(ctx, dir)
	if err != nil {
		return fmt.Errorf("starting the bot: %w", err)
	}
	defer ours.stop()
	if *long {
		return flat(ctx, ours)
	}
	bolt, err := startBolt(ctx, ours.slack)
	if err != nil {
		return fmt.Errorf("starting bolt (tools/build bolt installs it): %w", err)
	}
	defer bolt.stop()
	return compare(ctx, ours, bolt, *rounds, *count)
}

// compare measures both sides in turn.
func compare(ctx context.Context, ours, bolt *side, rounds, count int) error {
	for _, s := range []*side{ours, bolt} { // a process that has just started is no measure
		if err := s.measure(ctx, count/4); err != nil {
			return err
		}
		s.samples = nil
	}
	for range rounds {
		for _, step := range []func() error{
			func() error { return ours.idle(ctx) }, func() error { return bolt.measure(ctx, count) },
			func() error { return ours.measure(ctx, count) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
	}
	o, b := ours.median(), bolt.median()
	om, bm := ours.memory(), bolt.memory()
	fmt.Printf("%d rounds of %d commands, medians\n", rounds, count)
	fmt.Printf("@slack/bolt     %7.0f/s  p50 %6.2f ms  p99 %6.2f ms  cpu %6.3f ms a command  memory %4.0f MiB\n", b.rate,
		timing.MS(b.p50), timing.MS(b.p99), timing.MS(b.cpu), bm)
	fmt.Printf("packer-hybrid   %7.0f/s  p50 %6.2f ms  p99 %6.2f ms  cpu %6.3f ms a command  memory %4.0f MiB\n", o.rate,
		timing.MS(o.p50), timing.MS(o.p99), timing.MS(o.cpu), om)
	rate, tail, memory := o.rate/b.rate, float64(o.p99)/float64(b.p99), om/bm
	fmt.Printf("ack-p99 ratio=%.2f goal=%.2f\nack-hung ratio=%.2f goal=1.00\nack-memory ratio=%.2f goal=%.2f\nack "+
		"ratio=%.2f goal=%.2f\n",
		tail, goalP99, float64(o.p99)/float64(goalHung), memory, goalMemory, rate, goalRate)
	if rate < goalRate || tail > goalP99 || o.p99 > goalHung || memory > goalMemory {
		return timing.ErrMissed
	}
	return nil
}

// flat sends many commands and compares the memory before and after the most.
func flat(ctx context.Context, ours *side) error {
	const step, steps = 4000, 25
	var early float64
	for n := 1; n <= steps; n++ {
		if err := ours.measure(ctx, step); err != nil {
			return err
		}
		now := ours.resident()
		fmt.Printf("%6d commands  %7.0f/s  p99 %6.2f ms  resident %4.0f MiB\n", n*step, ours.samples[n-1].rate,
			timing.MS(ours.samples[n-1].p99), now)
		if n*step == 20_000 {
			early = now
		}
	}
	growth := ours.resident() / early
	fmt.Printf("ack-long ratio=%.2f goal=%.2f\n", growth, goalGrowth)
	if growth > goalGrowth {
		return timing.ErrMissed
	}
	return nil
}

// median is the median of each measure over the rounds.
func (s *side) median() sample {
	var m sample
	pick := func(of func(sample) float64) float64 {
		var all []float64
		for _, one := range s.samples {
			all = append(all, of(one))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	m.rate = pick(func(x sample) float64 { return x.rate })
	m.p50 = time.Duration(pick(func(x sample) float64 { return float64(x.p50) }))
	m.p99 = time.Duration(pick(func(x sample) float64 { return float64(x.p99) }))
	m.cpu = time.Duration(pick(func(x sample) float64 { return float64(x.cpu) }))
	return m
}
