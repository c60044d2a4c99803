// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:58:00Z
// Spec: openspec/specs/bot/spec.md#requirement-runs-on-this-machine
// Diagram: openspec/specs/bot/diagram.md#a-run-on-this-machine

package job

import (
	"cmp"
	"context"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// Local takes a run that the bot has started on this machine, does its command in
// the order's commit, and writes its end.
func (h *Host) Local(ctx context.Context, dir, repository string) error {
	run, err := dispatch.Take(context.WithoutCancel(ctx), dir, repository)
	switch {
	case dispatch.Taken(err):
		return nil // by another process, which does it
	case run == nil:
		return err
	case err != nil:
		return h.end(run, nil, err)
	}
	sub := *h
	sub.Process.Dir = run.Tree
	sub.Screen.Reporter, sub.local = run, &localRun{run, repository}
	if h.Process.Getenv(stored.Variable) == "" { // the state is not in the checkout, which is thrown away
		if sub.Process.Environ, err = h.stateOf(ctx, repository); err != nil {
			return h.end(run, nil, err)
		}
	}
	req, err := command.Parse(run.Order.Line)
	var bots config.Project // the bot's own, whose rules count, and not those of the commit
	if err == nil {
		bots, err = config.Load(repository)
	}
	if err == nil {
		req.Heads, req.ID = []string{run.Order.Commit}, run.Order.Request
		req.Origin.Kind, req.Origin.ReplyTo = "slack", run.Order.Request
		req.Env = cmp.Or(req.Env, bots.DefaultEnv) // that of the commit may be another one
		err = sub.permitted(ctx, bots, &req)
	}
	var answer hybridcore.Answer
	if err == nil {
		answer, err = sub.Process.Do(ctx, req, sub.Screen)
	}
	return h.end(run, &answer, err)
}

// permitted verifies the ticket of a run on this machine. A commit that the bot's repository has not
// merged is held to what a job of a CI system holds it to: the rules and the waivers are those
// of the commit that the repository is at.
func (h *Host) permitted(ctx context.Context, bots config.Project, req *hybridcore.Request) error {
	commit, ticket := h.local.run.Order.Commit, h.local.run.Order.Ticket
	repo, err := git.Open(h.local.repository, h.Process.Environ)
	if err != nil {
		return err
	}
	inTime, cancel := context.WithTimeout(ctx, stored.GitTime)
	defer cancel()
	tip, err := repo.Head(inTime)
	if err != nil {
		return err
	}
	merged, err := repo.Contains(inTime, tip, commit)
	if err != nil {
		return err
	}
	if !merged {
		h.Process.Reviewed = tip
		why, err := policyOf(bots).MergedOnly(*req)
		switch {
		case err != nil:
			return err
		case why != "":
			return hybridcore.Blockedf("commit %.12s is not merged into the branch that the bot's repository has checked out, "+
				"and %s", commit, why)
		}
	}
	approved, err := h.allowed(ctx, bots.Bot, ticket, commit, req)
	if err == nil && !merged && !approved {
		return unapproved(commit)
	}
	return err
}

// stateOf is the environment with the state of the project in a repository.
func (h *Host) stateOf(ctx context.Context, repository string) ([]string, error) {
	project, err := config.Load(repository)
	if err != nil {
		return nil, err
	}
	address, err := stored.Address(ctx, h.Process.Places(), project)
	if err != nil {
		return nil, err
	}
	return append(slices.Clone(h.Process.Environ), stored.Variable+"="+address), nil
}

// end writes the end of a local run.
func (h *Host) end(run *dispatch.LocalRun, answer *hybridcore.Answer, err error) error {
	code := checks.WriteError(h.Screen.Err, h.Screen.ErrStyle, err)
	if answer != nil {
		clean, err := h.Process.Redacted(ended(h.Process, *answer, code, err))
		if answer = &clean; err != nil { // the run has its end all the same
			h.faulty("the answer is not shown: " + err.Error())
			answer = nil
		}
	}
	if err := run.End(code, answer, said(h.Process, err)); err != nil {
		return err
	}
	if code != hybridcore.ExitOK {
		return hybridcore.Exit(code)
	}
	return nil
}
