// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:58:00Z
// Spec: openspec/specs/bot/spec.md#requirement-runs-on-this-machine
// Diagram: openspec/specs/bot/diagram.md#a-run-on-this-machine

package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
)

// jobCmd does one run that the bot has started on this machine.
func (a *app) jobCmd() *cobra.Command {
	repository := ""
	cmd := &cobra.Command{
		Use: "job DIR", Short: "Do a run that packer-hybrid bot has started on this machine", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.job(cmd.Context(), args[0], repository) },
	}
	cmd.Flags().StringVar(&repository, "repository", "", "Git repository of the project")
	return cmd
}

// job takes a run, does its command in the order's commit, and writes its end.
func (a *app) job(ctx context.Context, dir, repository string) error {
	run, err := dispatch.Take(context.WithoutCancel(ctx), dir, repository)
	switch {
	case dispatch.Taken(err):
		return nil // by another process, which does it
	case run == nil:
		return err
	case err != nil:
		return a.jobEnd(run, nil, err)
	}
	heard := &hearing{run: run}
	sub := *a
	sub.dir, sub.watcher, sub.local, sub.localRepository = run.Tree, heard, run, repository
	if a.Getenv(stateVariable) == "" { // the state is not in the checkout, which is thrown away
		if sub.Environ, err = a.stateOf(repository); err != nil {
			return a.jobEnd(run, nil, err)
		}
	}
	req, err := hybridcore.Parse(run.Order.Line)
	if err == nil {
		req.Heads, req.ID = []string{run.Order.Commit}, run.Order.Request
		req.Origin = hybridcore.Origin{Kind: "slack", ReplyTo: run.Order.Request}
		_, err = sub.allowed(ctx, run.Order.Ticket, run.Order.Commit, &req)
	}
	if err == nil {
		err = sub.do(ctx, req)
	}
	return a.jobEnd(run, heard.record, err)
}

// stateOf is the environment with the state of the project in a repository.
func (a *app) stateOf(repository string) ([]string, error) {
	project, err := config.Load(repository)
	if err != nil {
		return nil, err
	}
	return append(slices.Clone(a.Environ), stateVariable+"="+stateDir(project)), nil
}

// jobEnd writes the end of a run.
func (a *app) jobEnd(run *dispatch.LocalRun, record *hybridcore.Record, err error) error {
	code := a.Finish(err)
	said := err
	if _, silent := err.(cli.Exit); silent { //nolint:errorlint // it is never wrapped
		said = nil
	}
	if said != nil {
		said = fmt.Errorf("%s", a.Redactor.String(said.Error()))
	}
	if err := run.End(code, record, said); err != nil {
		return err
	}
	if code != hybridcore.ExitOK {
		return cli.Exit(code)
	}
	return nil
}

// hearing passes on what a run comes to.
type hearing struct {
	run    *dispatch.LocalRun
	record *hybridcore.Record
}

// Answer implements watcher.
func (h *hearing) Answer(doc checks.Document) {
	if doc.Record != nil {
		h.record = doc.Record
	}
}

// Event implements watcher.
func (h *hearing) Event(e hybridcore.Event) { h.run.Event(e) }
