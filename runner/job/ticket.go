// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:36:09Z
// Spec: openspec/specs/bot/spec.md#requirement-decided-once-more-in-the-job
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
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
	user, err := h.ticketUser()
	if err != nil {
		return false, err
	}
	if why := t.Refuses(time.Now(), user.mine...); why != "" {
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
	if err := h.whole(ctx, project, t, *req); err != nil {
		return false, err
	}
	if err := h.samePlan(ctx, project, t); err != nil {
		return false, err
	}
	if err := h.useTicket(ctx, project, t, user); err != nil {
		return false, err
	}
	only := meant(t.Cells) // the commit may have more of them than the decision was about
	req.Origin.Actor, req.Images, req.Platforms = t.Person.User, only.Images, only.Platforms
	return len(d.Need) > 0, nil // each of them is satisfied
}

// whole refuses a command that changes something and means more targets at the
// ticket's commit than the ticket is for: the later jobs of the run go by the line.
func (h *Host) whole(ctx context.Context, project config.Project, t policy.Ticket, req hybridcore.Request) error {
	if req.Action == hybridcore.ActionReap || req.Action == hybridcore.ActionBuild ||
		req.Action == hybridcore.ActionPublish {
		r := h.Process.Wire(project)
		defer func() { _ = r.Project.Close() }() // only read
		req.Env = cmp.Or(req.Env, project.DefaultEnv)
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

// ticketUser is the run that this job is of, as tickets name it.
type ticketUser struct {
	system string
	id     string            // of the run
	mine   []policy.Audience // that it may be addressed as
}

// ticketUser says which run this is, by the variables of its CI system.
func (h *Host) ticketUser() (ticketUser, error) {
	if h.local != nil {
		return ticketUser{
			dispatch.SystemLocal, h.local.run.Order.Request,
			[]policy.Audience{dispatch.LocalAudience(h.local.repository)},
		}, nil
	}
	system, err := ci.Detect(h.Process.Getenv)
	if err != nil {
		return ticketUser{}, err
	}
	user := ticketUser{system: dispatch.SystemGitHub, id: h.Process.Getenv("GITHUB_RUN_ID")}
	if system == ci.GitLab {
		user.system, user.id = dispatch.SystemGitLab, h.Process.Getenv("CI_PIPELINE_ID")
		file := cmp.Or(h.Process.Getenv("CI_CONFIG_PATH"), dispatch.DefaultPipeline)
		for _, name := range []string{"CI_PROJECT_PATH", "CI_PROJECT_ID"} { // the bot may have either
			user.mine = append(user.mine, policy.Audience{System: user.system, Repository: h.Process.Getenv(name), File: file})
		}
	} else {
		file, _, _ := strings.Cut(h.Process.Getenv("GITHUB_WORKFLOW_REF"), "@") // OWNER/NAME/.github/workflows/FILE@REF
		user.mine = []policy.Audience{{
			System: user.system, Repository: h.Process.Getenv("GITHUB_REPOSITORY"),
			File: path.Base(file),
		}}
	}
	if user.id == "" {
		return ticketUser{}, hybridcore.Blockedf("this job has a ticket of the bot, and does not know its run: " +
			"GITHUB_RUN_ID or CI_PIPELINE_ID is not set, as the CI system does")
	}
	return user, nil
}

// useTicket refuses a ticket that another run has used, or was made for, and notes
// that this one uses it.
func (h *Host) useTicket(ctx context.Context, project config.Project, t policy.Ticket, user ticketUser) error {
	older, err := h.olderRun(ctx, t.Request, user)
	if err != nil {
		return err
	}
	if older != "" {
		return hybridcore.Blockedf("the ticket of request %s is for one run, and there is an older one of it, %s; %s",
			t.Request, older, again)
	}
	store, err := h.Process.OpenState(project)
	if err != nil {
		return err
	}
	return store.UseTicket(ctx, t.Request, user.system+" "+user.id, t.Expires)
}

// olderRun names a run of the same request that is older than this one; empty when
// the CI system knows none.
func (h *Host) olderRun(ctx context.Context, request string, user ticketUser) (string, error) {
	switch user.system {
	case dispatch.SystemGitHub:
		token := h.Process.Getenv("GITHUB_TOKEN")
		if token == "" {
			return "", hybridcore.Blockedf("this job has a ticket of the bot, and cannot ask GitHub whether another run " +
				"has used it: give the step GITHUB_TOKEN, with the permission actions: read")
		}
		hub, err := dispatch.NewGitHub(dispatch.GitHubConfig{
			API: h.Process.Getenv("GITHUB_API_URL"), Repository: user.mine[0].Repository, Workflow: user.mine[0].File,
			Token: token,
		})
		if err != nil {
			return "", err
		}
		return hub.Older(ctx, request, user.id)
	case dispatch.SystemGitLab:
		older, err := h.olderPipeline(ctx, request, user)
		_, refused := errors.AsType[*hybridcore.BlockedError](err)
		if !refused && !errors.Is(err, errNoToken) {
			return older, err
		}
		_, err = fmt.Fprintln(h.Screen.Err,
			"warning: GitLab does not say whether another pipeline has used the bot's ticket, "+
				"the state alone does: "+ci.Inert(h.Process.Redactor.String(err.Error())))
		return older, err //nolint:wrapcheck // of standard error
	}
	return "", nil
}

var errNoToken = errors.New("GITLAB_TOKEN is not set")

func (h *Host) olderPipeline(ctx context.Context, request string, user ticketUser) (string, error) {
	token := h.Process.Getenv("GITLAB_TOKEN")
	if token == "" {
		return "", errNoToken
	}
	lab, err := dispatch.NewGitLab(dispatch.GitLabConfig{
		API: h.Process.Getenv("CI_API_V4_URL"), Project: user.mine[0].Repository,
		Token: token,
	})
	if err != nil {
		return "", err
	}
	return lab.Older(ctx, request, user.id)
}
