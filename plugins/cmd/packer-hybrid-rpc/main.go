// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:47:17Z
// Spec: openspec/specs/full-validation/spec.md#requirement-a-program-of-its-own
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

// Command packer-hybrid-rpc talks to Packer plugins for packer-hybrid. It is a
// program of its own because Packer's plugin protocol needs a fork of go-cty
// that packer-hybrid itself cannot be installed with.
//
//	packer-hybrid-rpc validate   a job on standard input, its answer as JSON
//	packer-hybrid-rpc schemas    the same job; answers the schemas of its plugins
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/plugins/prepare"
)

// Limits of the whole process.
const (
	maxMemory = 2 << 30          // bytes, of it and of each plugin that it starts
	maxHeap   = 256 << 20        // bytes, from which on it collects garbage
	maxTime   = 30 * time.Minute // the caller has a limit of its own
)

func main() {
	log.SetOutput(io.Discard) // the SDK logs configurations
	stderr := os.Stderr
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stderr = null // its multiplexer complains of every plugin that was ended
	}
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(stderr, "packer-hybrid-rpc:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 || args[0] != "validate" && args[0] != "schemas" {
		return fmt.Errorf("usage: packer-hybrid-rpc validate|schemas <JOB.json")
	}
	// Evaluating an expression cannot be interrupted.
	defer time.AfterFunc(maxTime, func() {
		fmt.Fprintf(os.Stderr, "packer-hybrid-rpc: no answer within %s\n", maxTime)
		os.Exit(1)
	}).Stop()
	limitMemory(maxMemory)
	debug.SetGCPercent(-1) // it lives for a moment
	debug.SetMemoryLimit(maxHeap)
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	job, err := prepare.ReadJob(in)
	if err != nil {
		return err
	}
	var answer any
	if args[0] == "validate" {
		answer = prepare.Run(ctx, job)
	} else if answer, err = prepare.Schemas(ctx, job); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("cancelled")
	}
	if err := json.NewEncoder(out).Encode(answer); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}
