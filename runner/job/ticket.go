// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:36:09Z
// Spec: openspec/specs/bot/spec.md#requirement-decided-once-more-in-the-job
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package job

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// again is what to do about a ticket that is of no use.
const again = "ask again in Slack"

// allowed verifies the ticket of a command from the bot, decides on it once more
// by rules, compares the plan with the one that was approved, and notes that this
// run uses the ticket. It says who asked, and keeps the request to the ticket's
// targets. Approved says that another person has approved the commit, as the rules
// ask for: a commit that is not merged needs that. Without a ticket it was not the
// bot: the CI system has decided.
func (h *Host) allowed(ctx context.Context, rules config.Bot, ticket []byte, commit string, req *hybridcore.Request) (
	approved bool, err error,
) {
	if len(ticket) == 0 {
		return false, nil
	}
	keys, err := policy.ParseKeys(h.Process.Getenv(policy.KeyVariable))
	if err != nil {
		return false, hybridcore.Blockedf("this job has a ticket of the bot, and cannot verify it: %v", err)
	}
	t, err := keys.Open(ticket)
	if err != nil {
		return false, hybridcore.Blockedf("the bot's ticket cannot be used: %v; %s", err, again)
	}
	run, err := h.ticketRun()
	if err != nil {
		return false, err
	}
	if why := t.Refuses(time.Now(), run.mine...); why != "" {
		return false, hybridcore.Blockedf("the bot's ticket is not for this job: %s; %s", why, again)
	}
	project, err := h.Process.Project()
	if err != nil {
		return false, err
	}
	if err := narrow(&t, *req, project); err != nil {
		return false, err
	}
	d := policy.Recheck(rules, t, commit)
	if !d.Allow {
		return false, hybridcore.Blockedf("denied by %s: %s", d.Rule, d.Why)
	}
	v := verification{host: h, project: project, ticket: t, run: run}
	for _, check := range []func() error{
		func() error { return v.whole(ctx, *req) },
		func() error { return v.samePlan(ctx) },
		func() error { return v.use(ctx) },
	} {
		if err := check(); err != nil {
			return false, err
		}
	}
	only := meant(t.Cells) // the commit may have more of them than the decision was about
	req.Origin.Actor, req.Images, req.Platforms = t.Person.User, only.Images, only.Platforms
	return len(d.Need) > 0, nil // each of them is satisfied
}

func unapproved(commit string) error {
	return hybridcore.Blockedf("commit %.12s is not merged, and nobody has approved it in Slack: no rule "+
		"`approval` of the bot asks for that here; merge it, or add such a rule and ask again", commit)
}

// whole refuses a command that changes something and means more targets at the
// ticket's commit than the ticket is for: the later jobs of the run go by the line.
func (v verification) whole(ctx context.Context, req hybridcore.Request) error {
	changes := []hybridcore.Action{hybridcore.ActionReap, hybridcore.ActionBuild, hybridcore.ActionPublish}
	if !slices.Contains(changes, req.Action) && !req.Looks() {
		return nil
	}
	t := v.ticket
	r := v.host.Process.Wire(v.project)
	defer func() { _ = r.Project.Close() }() // only read
	req.Env = cmp.Or(req.Env, v.project.DefaultEnv)
	all, err := plan.Stage{Project: r.Project}.CommitInputs(ctx, req, t.Commit)
	if err != nil {
		return hybridcore.Blockedf("what the bot's ticket is for cannot be compared with commit %.12s: %v", t.Commit, err)
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !slices.ContainsFunc(t.Cells, func(cell policy.Cell) bool { return cell.String() == key }) {
			return hybridcore.Blockedf("%q means %s too at commit %.12s, and the bot's ticket is not for it; %s", req.Action,
				key, t.Commit, again)
		}
	}
	return nil
}

// narrow leaves a ticket the targets of a job, which may do a part, and refuses a
// ticket for something else.
func narrow(t *policy.Ticket, req hybridcore.Request, project config.Project) error {
	req.Env = cmp.Or(req.Env, project.DefaultEnv)
	t.Cells = slices.DeleteFunc(t.Cells, func(cell policy.Cell) bool { return !req.Wants(cell.String()) })
	switch {
	case t.Request == "" || t.Request != req.Origin.ReplyTo:
		return hybridcore.Blockedf("the bot's ticket is for request %.80q, and this job is of %.80q; %s", t.Request,
			req.Origin.ReplyTo, again)
	case t.Verb != string(req.Action) || len(t.Cells) == 0:
		return hybridcore.Blockedf("the bot's ticket is for another command than %s; %s", req.Action, again)
	}
	return nil
}

// ticketRun says which run this is: of the bot on this machine, or by the variables of
// the CI system.
func (h *Host) ticketRun() (ticketRun, error) {
	if h.local != nil {
		return ticketRun{
			dispatch.SystemLocal, h.local.run.Order.Request,
			[]policy.Audience{dispatch.LocalAudience(h.local.repository)},
		}, nil
	}
	if h.forge.Runs.Mine == nil {
		return ticketRun{}, hybridcore.Blockedf("this job has a ticket of the bot, which %s has none for", h.forge.Title)
	}
	run := ticketRun{system: h.forge.Name}
	if run.id, run.mine = h.forge.Runs.Mine(h.Process.Getenv); run.id == "" {
		return ticketRun{}, hybridcore.Blockedf("this job has a ticket of the bot, and does not know its run: " +
			"GITHUB_RUN_ID or CI_PIPELINE_ID is not set, as the CI system does")
	}
	return run, nil
}

// use refuses a ticket that another run has used, or was made for, and notes that
// this one uses it.
func (v verification) use(ctx context.Context) error {
	older, err := v.older(ctx)
	if err != nil {
		return err
	}
	request := v.ticket.Request
	if older != "" {
		return hybridcore.Blockedf("the ticket of request %s is for one run, and there is an older one of it, %s; %s",
			request, older, again)
	}
	store, err := stored.Open(v.host.Process.Places(), v.project, v.host.Process.Notes)
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // what counts is stored
	return store.UseTicket(ctx, request, v.run.system+" "+v.run.id, v.ticket.Expires)
}

// older names a run of the same request that is older than this one; empty when
// the CI system knows none.
func (v verification) older(ctx context.Context) (string, error) {
	h := v.host
	if h.local != nil || h.forge.Runs.Older == nil {
		return "", nil
	}
	older, err := h.forge.Runs.Older(ctx, h.Process.Getenv, v.ticket.Request)
	if !forge.Unsure(err) {
		return older, err
	}
	_, err = fmt.Fprintf(h.Screen.Err,
		"warning: %s does not say whether another pipeline has used the bot's ticket, the state alone does: %s\n",
		h.forge.Title, text.JobLog(h.Process.Redactor.String(err.Error())))
	return older, err //nolint:wrapcheck // of standard error
}
