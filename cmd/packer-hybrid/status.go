// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:05:17Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs
// Diagram: openspec/specs/cli/diagram.md#one-command

package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner"
)

// status answers the verb status.
func (a *app) status(ctx context.Context, r *runner.Runner, req hybridcore.Request) error {
	snapshot, err := r.State.Read(ctx)
	if err != nil {
		return err
	}
	leases, err := r.State.Leases(ctx)
	if err != nil {
		return err
	}
	st := checks.Status{
		Env: req.Env, Serial: snapshot.Serial, Targets: snapshot.Targets,
		Running: []hybridcore.Lease{}, Dead: []hybridcore.Lease{}, Releasing: snapshot.Releasing,
	}
	maps.DeleteFunc(st.Releasing, func(key string, intent hybridcore.ReleaseIntent) bool {
		env, _, _ := strings.Cut(key, "/")
		return !slices.ContainsFunc(slices.Collect(maps.Keys(intent.Builds)), func(target string) bool { return req.Wants(env + "/" + target) })
	})
	maps.DeleteFunc(st.Targets, func(key string, _ hybridcore.Current) bool { return !req.Wants(key) })
	for _, l := range leases {
		if !req.Wants(l.Key) {
			continue
		}
		st.Dead = append(st.Dead, l.Ended()...)
		if l.Live {
			l.Past = nil // they are among the dead
			st.Running = append(st.Running, l.Lease)
		}
	}
	if a.Output == "json" {
		return checks.WriteJSON(a.Out, checks.Document{Status: &st})
	}
	return checks.WriteStatus(a.Out, a.Style(a.Raw.Out), st, time.Now())
}

// reap answers the verb reap.
func (a *app) reap(ctx context.Context, r *runner.Runner, req hybridcore.Request) error {
	if a.phase != nil {
		return a.phase.reap(ctx, a, r, req)
	}
	reaped, err := r.Reap(ctx, req)
	if err != nil {
		return err
	}
	if a.Output == "json" {
		err = checks.WriteJSON(a.Out, checks.Document{Reaped: &reaped})
	} else {
		err = checks.WriteReaped(a.Out, a.Style(a.Raw.Out), reaped, req.DryRun)
	}
	failed := slices.ContainsFunc(reaped, func(one hybridcore.Reaped) bool { return one.Error != "" })
	if err == nil && failed {
		return cli.Exit(hybridcore.ExitFailed)
	}
	return err
}

// inspectCmd shows one run.
func (a *app) inspectCmd() *cobra.Command {
	return &cobra.Command{
		Use: "inspect [RUN]", Short: "Show the record of one run, the last one by default",
		Long: `Inspect prints what one run did: request, versions, and for each target its
steps, artifact, inventory and inputs.`,
		Example: `  packer-hybrid inspect
  packer-hybrid inspect 20261122t224501-1a2b3c4d --output json`,
		Args: maxOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, done, err := a.runner()
			if err != nil {
				return err
			}
			defer done()
			record, err := pick(cmd.Context(), r, args)
			if err != nil {
				return err
			}
			if a.Output == "json" {
				return checks.WriteJSON(a.Out, checks.Document{Record: &record})
			}
			return checks.WriteInspect(a.Out, a.Style(a.Raw.Out), record, recordFile(r, record.RunID))
		},
	}
}

func pick(ctx context.Context, r *runner.Runner, args []string) (hybridcore.Record, error) {
	runs, err := r.State.Records(ctx)
	if err != nil {
		return hybridcore.Record{}, err
	}
	if len(runs) == 0 {
		return hybridcore.Record{}, hybridcore.Usagef("no run is recorded in %s yet", r.Project.State.Path)
	}
	id := runs[len(runs)-1]
	if len(args) == 1 {
		id = args[0]
		if err := hybridcore.CheckName("run", id); err != nil {
			return hybridcore.Record{}, err
		}
		if !slices.Contains(runs, id) {
			return hybridcore.Record{}, hybridcore.Usagef("no run %q is recorded%s; the last one is %s", id, hybridcore.DidYouMean(id, runs), runs[len(runs)-1])
		}
	}
	return r.State.Record(ctx, id)
}

// maxOne refuses a second argument with a usage error.
func maxOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return hybridcore.Usagef("%s takes at most one argument, got %d", cmd.Name(), len(args))
	}
	return nil
}
