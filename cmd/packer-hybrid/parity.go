// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:28:05Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner"
)

// memoryLimit is the memory, in bytes, above which garbage is collected after
// all: inventories of some hundred images.
const memoryLimit = 1 << 30

// parity answers the verb parity.
func (a *app) parity(ctx context.Context, r *runner.Runner, req hybridcore.Request) error {
	// The process ends with the comparison, which keeps all that it reads: to
	// collect garbage in between takes longer than to compare.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(memoryLimit))
	report, err := r.Parity(ctx, req)
	if err != nil {
		return err
	}
	a.heard(checks.Document{Parity: &report})
	if a.Output == "json" {
		err = checks.WriteJSON(a.Out, checks.Document{Parity: &report})
	} else {
		err = checks.WriteParity(a.Out, a.Style(a.Raw.Out), report)
	}
	switch {
	case err != nil:
		return err
	case report.Blocked():
		return cli.Exit(hybridcore.ExitBlocked)
	}
	return nil
}

// ended is the answer of a run, for reports beside the console: with what is
// in its images that was not in those before; a part's is for who collects it.
func (a *app) ended(ctx context.Context, r *runner.Runner, plan hybridcore.Plan, record hybridcore.Record) checks.Document {
	doc := checks.Document{Plan: &plan, Record: &record}
	if a.watcher == nil || record.Request.Action != hybridcore.ActionBuild || record.Request.Part != "" || ctx.Err() != nil {
		return doc
	}
	changes, err := r.Since(ctx, record)
	if err != nil {
		_, _ = fmt.Fprintf(a.Err, "warning: the report does not say what changed in the images: %v\n", err)
	}
	if len(changes)+len(record.Parity) > 0 {
		doc.Parity = &hybridcore.ParityReport{Env: record.Request.Env, Parity: append([]hybridcore.Parity{}, record.Parity...), Changes: changes, Notes: []string{}}
	}
	return doc
}
