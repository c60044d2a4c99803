// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:09:01Z
// Spec: openspec/specs/bot/spec.md#requirement-speed-of-the-acknowledgement
// Diagram: openspec/specs/bot/diagram.md#one-command

// Command ack measures how fast the bot acknowledges signed slash commands that
// it has stored, synced: 200 that come at once, over loopback, each on a connection
// of its own. GitHub hangs all the while. Each round begins when the bot has
// decided on the commands of the one before. Memory is the largest resident set.
//
// Goal: of 200 commands at once, 99 % acknowledged within 100 ms; at most 64 MiB of memory
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
	goalP99    = 100 * time.Millisecond
	goalMemory = 64 // MiB
	goalGrowth = 1.1
	atOnce     = 200
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
	rounds := fs.Int("rounds", 10, "how often 200 commands are sent")
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
	return burst(ctx, ours, *rounds)
}

// burst sends all commands of a round at once.
func burst(ctx context.Context, bot *side, rounds int) error {
	for range rounds + 1 {
		if err := bot.idle(ctx); err != nil {
			return err
		}
		if err := bot.measure(ctx, atOnce, atOnce); err != nil {
			return err
		}
	}
	bot.samples = bot.samples[1:] // a process that has just started is no measure
	m, memory := bot.median(), bot.memory()
	fmt.Printf("%d rounds of %d commands at once, medians\n", rounds, atOnce)
	fmt.Printf("%.0f/s  p50 %.2f ms  p99 %.2f ms  memory %.0f MiB\n", m.rate, timing.MS(m.p50), timing.MS(m.p99), memory)
	fmt.Printf("ack-p99 ratio=%.2f goal=1.00\nack-memory ratio=%.2f goal=1.00\n", float64(m.p99)/float64(goalP99),
		memory/goalMemory)
	if m.p99 > goalP99 || memory > goalMemory {
		return timing.ErrMissed
	}
	return nil
}

// flat sends many commands and compares the memory before and after the most.
func flat(ctx context.Context, ours *side) error {
	const step, steps = 4000, 25
	var early float64
	for n := 1; n <= steps; n++ {
		if err := ours.measure(ctx, 8, step); err != nil {
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
	return m
}
