// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:33:35Z
// Spec: openspec/specs/plan/spec.md#requirement-remembered-verdicts
// Diagram: openspec/specs/plan/diagram.md#verdicts

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner"
)

// verdicts is the cache that a request may use.
func (a *app) verdicts(req hybridcore.Request) runner.Verdicts {
	if req.NoCache {
		return ""
	}
	return runner.Verdicts(filepath.Join(a.cacheDir(), "verdicts"))
}

// remembered answers the verb validate from the cache, or lets ask look (Packer
// or its plugins) and remembers what they said.
func (a *app) remembered(ctx context.Context, r *runner.Runner, req hybridcore.Request,
	ask func(context.Context, hybridcore.Plan) (hybridcore.Record, error),
) error {
	verdicts := a.verdicts(req)
	key := r.VerdictKey(ctx, verdicts, req, program())
	if verdict, ok := verdicts.Recall(key); ok {
		return a.recalled(req, verdict)
	}
	return a.execute(ctx, r, req, func(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
		record, err := ask(ctx, plan)
		verdict := runner.Verdict{Key: key, Of: req.ID, At: r.Now().UTC(), Findings: plan.Findings}
		for _, res := range record.Results {
			res.Inputs, res.Steps = nil, nil
			verdict.Results = append(verdict.Results, res)
		}
		var form *hybridcore.FindingsError
		if (err == nil || errors.As(err, &form)) && r.VerdictKey(ctx, verdicts, req, program()) == key { // nothing changed meanwhile
			verdicts.Remember(verdict, a.Redactor.String)
		}
		return record, err
	})
}

// recalled reports a verdict of an earlier run.
func (a *app) recalled(req hybridcore.Request, v runner.Verdict) error {
	if err := checks.WriteFindings(a.Err, a.Style(a.Raw.Err), v.Findings); err != nil {
		return err
	}
	record := hybridcore.Record{
		FormatVersion: 1, RunID: v.Of, Request: req, At: v.At, Status: hybridcore.Overall(v.Results), Versions: map[string]string{}, Results: v.Results,
	}
	exit := blocked(v.Findings)
	doc := checks.Document{Cached: v.Of, Findings: v.Findings}
	if exit == nil {
		doc.Record = &record
	}
	a.heard(doc)
	var err error
	switch {
	case a.Output == "json":
		err = checks.WriteJSON(a.Out, doc)
	case exit == nil:
		err = checks.WriteRecord(a.Out, a.Style(a.Raw.Out), record, "")
	}
	if err == nil && a.Output != "json" {
		_, err = fmt.Fprintf(a.Out, "cached verdict of run %s: nothing changed since (--no-cache asks anew)\n", v.Of)
	}
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return exit
}

// program names this build of packer-hybrid: the rules that a verdict rests on
// are part of it.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return cli.Version()
	}
	info, err := os.Stat(path)
	if err != nil {
		return cli.Version()
	}
	return fmt.Sprintf("%s %s %d %d", cli.Version(), path, info.Size(), info.ModTime().UnixNano())
}
