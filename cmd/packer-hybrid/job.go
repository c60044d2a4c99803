// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:58:00Z
// Spec: openspec/specs/bot/spec.md#requirement-runs-on-this-machine
// Diagram: openspec/specs/bot/diagram.md#a-run-on-this-machine

package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
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
	sub := *a
	sub.dir, sub.reporter, sub.local, sub.localRepository = run.Tree, run, run, repository
	if a.Getenv(stateVariable) == "" { // the state is not in the checkout, which is thrown away
		if sub.Environ, err = a.stateOf(repository); err != nil {
			return a.jobEnd(run, nil, err)
		}
	}
	req, err := hybridcore.Parse(run.Order.Line)
	var bots config.Project // the bot's own, whose rules count, and not those of the commit
	if err == nil {
		bots, err = config.Load(repository)
	}
	if err == nil {
		req.Heads, req.ID = []string{run.Order.Commit}, run.Order.Request
		req.Origin = hybridcore.Origin{Kind: "slack", ReplyTo: run.Order.Request}
		_, err = sub.allowed(ctx, bots.Bot, run.Order.Ticket, run.Order.Commit, &req)
	}
	var answer hybridcore.Answer
	if err == nil {
		answer, err = sub.do(ctx, req)
	}
	return a.jobEnd(run, &answer, err)
}

// stateOf is the environment with the state of the project in a repository.
func (a *app) stateOf(repository string) ([]string, error) {
	project, err := config.Load(repository)
	if err != nil {
		return nil, err
	}
	return append(slices.Clone(a.Environ), stateVariable+"="+stateDir(project)), nil
}

// said is what an error says; nil for one that only has an exit code.
func (a *app) said(err error) error {
	if _, silent := errors.AsType[cli.Exit](err); silent || err == nil {
		return nil
	}
	return errors.New(a.Redactor.String(hybridcore.Sanitize(err.Error())))
}

// ended is an answer with its end.
func (a *app) ended(answer hybridcore.Answer, code int, err error) hybridcore.Answer {
	answer.Exit = &code
	if said := a.said(err); said != nil {
		answer.Error = said.Error()
	}
	return answer
}

// jobEnd writes the end of a run.
func (a *app) jobEnd(run *dispatch.LocalRun, answer *hybridcore.Answer, err error) error {
	code := a.Finish(err)
	if answer != nil {
		clean, err := a.redacted(a.ended(*answer, code, err))
		if answer = &clean; err != nil { // the run has its end all the same
			a.faulty("the answer is not shown: " + err.Error())
			answer = nil
		}
	}
	if err := run.End(code, answer, a.said(err)); err != nil {
		return err
	}
	if code != hybridcore.ExitOK {
		return cli.Exit(code)
	}
	return nil
}
