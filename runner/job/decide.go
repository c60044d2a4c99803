// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:09:49Z
// Spec: openspec/specs/ci/spec.md#requirement-one-decision-for-all-jobs
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package job

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// decide says what this run is to do, in the outputs of the step, and answers a
// comment that asks for nothing that a job could do.
func (h *Host) decide(ctx context.Context) error {
	jobs := h.forge.Jobs
	if jobs.Decide == nil {
		return hybridcore.Usagef("--decide is for GitHub Actions: at %s the job of `ci --plan` decides", h.forge.Title)
	}
	project, err := h.Process.Project()
	if err != nil {
		return err
	}
	in := h.ciInput(ctx)
	if jobs.Ask != nil && h.access().Token != "" {
		in.Approval = func(u ci.Unmerged) (ci.Approval, error) {
			asker, err := jobs.Ask(h.access(), u.Repository)
			if err != nil {
				return ci.Approval{}, err
			}
			return asker.Approval(ctx, u)
		}
	}
	read, err := jobs.Read(in)
	if err != nil {
		return err
	}
	var d ci.Decision
	if len(read.Requests) > 0 {
		if d, err = read.Decision(); err != nil {
			if read, err = read.Refuse(err); err != nil {
				return err
			}
			d = ci.Decision{}
		}
	}
	if err := setUpForAll(d, h.Process.Getenv); err != nil {
		return err
	}
	outputs, err := jobs.Decide(d, read.Runners())
	if err != nil {
		return err
	}
	j := h.newJob(project, read)
	for _, o := range outputs {
		if err := j.values.Output(o.Name, o.Value); err != nil {
			return err // nothing may be done on half of a decision
		}
	}
	if d.SHA == "" {
		j.nothing(context.WithoutCancel(ctx))
	} else {
		j.say("decided for %s at commit %s: %s", d.Env, d.SHA, strings.Join(d.Lines, "; "))
		j.say("allowed: %s", d.Rule)
		j.unnamed(d, read.Runners())
	}
	j.warn()
	return nil
}

// unnamed warns of platforms without runners, when jobs near them follow.
func (j *job) unnamed(d ci.Decision, runners ci.Runners) {
	near := d.Has(hybridcore.ActionBuild, hybridcore.ActionPublish, hybridcore.ActionReap) || d.Looks()
	if j.host.forge.Jobs.Unnamed == nil || !near {
		return
	}
	if said := j.host.forge.Jobs.Unnamed(runners, d.Platforms); said != "" {
		j.problems = append(j.problems, said)
	}
}

// readJob reads what this job is about: the decision of its run, bound to this
// run and to the commit of the checkout. Without one it is what the job's own event
// leads to, for merged code.
func (h *Host) readJob(ctx context.Context) (ci.Job, error) {
	in := h.ciInput(ctx)
	text, given := h.Process.Places().LookupEnv(ci.DecisionVariable)
	if !given {
		return h.forge.Jobs.Read(in)
	}
	d, err := ci.ParseDecision(text)
	if err != nil {
		return ci.Job{}, err
	}
	job, err := h.forge.Jobs.Decided(d, in)
	if err != nil {
		return ci.Job{}, err
	}
	return job, h.atCommit(ctx, d.SHA)
}

// ticketed verifies the bot's ticket of a job, and narrows the requests to what
// it allows. A commit that is not merged is worked on with a ticket only if the
// ticket is the bot's own. Of the jobs of a decision the one that plans does this
// for all: it has the key and the state, and the others wait for it.
func (h *Host) ticketed(ctx context.Context, own Kind, job *ci.Job) error {
	if _, decided := h.Process.Places().LookupEnv(ci.DecisionVariable); len(job.Ticket) == 0 || decided && !own.Plan {
		return nil
	}
	rules, err := h.reviewedRules(ctx, job.PolicyCommit())
	if err != nil {
		return err
	}
	for i := range job.Requests {
		approved, err := h.allowed(ctx, rules, job.Ticket, job.Commit, &job.Requests[i])
		switch {
		case err != nil:
			return err
		case !approved && !job.Merged:
			return unapproved(job.Commit)
		}
	}
	return nil
}

// atCommit refuses a checkout of another commit than the decision's.
func (h *Host) atCommit(ctx context.Context, sha string) error {
	repo, err := h.Process.Repository()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stored.GitTime)
	defer cancel()
	at, err := repo.Head(ctx)
	switch {
	case err != nil:
		return err
	case at != sha:
		return hybridcore.Blockedf("the decision of this run is for commit %s, and the checkout is at %s: check out "+
			"the output sha of the job that decides", sha, at)
	}
	return nil
}

// ciInput is what every job is read from.
func (h *Host) ciInput(ctx context.Context) ci.Input {
	repo := sync.OnceValues(h.Process.Repository)
	ask := func(question func(context.Context, *git.Repository) error) error {
		r, err := repo()
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, stored.GitTime)
		defer cancel()
		return question(ctx, r)
	}
	in := ci.Input{Getenv: h.Process.Getenv, ReadFile: ci.ReadFile, Repo: ci.Repository{
		Tip: func(branch string) (tip string, err error) {
			return tip, ask(func(ctx context.Context, r *git.Repository) error {
				tip, err = r.Tip(ctx, branch)
				return err
			})
		},
		Contains: func(tip, commit string) (has bool, err error) {
			return has, ask(func(ctx context.Context, r *git.Repository) error {
				has, err = r.Contains(ctx, tip, commit)
				return err
			})
		},
		Parents: func(commit string) (parents []string, err error) {
			return parents, ask(func(ctx context.Context, r *git.Repository) error {
				parents, err = r.Parents(ctx, commit)
				return err
			})
		},
		Policy: func(commit string) (policy ci.Policy, err error) {
			return policy, ask(func(ctx context.Context, r *git.Repository) error {
				policy, err = policyAt(ctx, r, commit)
				return err
			})
		},
	}}
	if ask := h.forge.Jobs.Ask; ask != nil && h.access().Token != "" {
		in.Lookup = func(c ci.Comment) (ci.Facts, error) {
			asker, err := ask(h.access(), c.Repository)
			if err != nil {
				return ci.Facts{}, err
			}
			return asker.Facts(ctx, c)
		}
	}
	return in
}

// policyAt is what the project file of a commit says about events; without one
// it is the default.
func policyAt(ctx context.Context, repo *git.Repository, commit string) (ci.Policy, error) {
	project, err := projectAt(ctx, repo, commit)
	if errors.Is(err, fs.ErrNotExist) {
		return ci.Policy{}, nil
	}
	return policyOf(project), err
}

// projectAt is the project file of a commit, whatever the checkout is at.
func projectAt(ctx context.Context, repo *git.Repository, commit string) (config.Project, error) {
	id, err := repo.Resolve(ctx, commit)
	if err != nil {
		return config.Project{}, err
	}
	tree, err := repo.Tree(ctx, id, config.FileName)
	if err != nil {
		return config.Project{}, err
	}
	return config.LoadFS(tree)
}

// reviewedState is where the state of a job is whose commit is not merged: the author of
// a change would else choose where its leases are, and who has used its ticket. Nil is
// what the project file says: a folder, which is of this runner alone.
func (h *Host) reviewedState(ctx context.Context, says config.State, j ci.Job) (*config.State, error) {
	if j.Merged || h.Process.Getenv(stored.Variable) != "" {
		return nil, nil //nolint:nilnil // nothing is to be replaced
	}
	shared := says.Backend != config.BackendDirectory
	var reviewed config.Project
	repo, err := h.Process.Repository()
	if err == nil {
		inTime, cancel := context.WithTimeout(ctx, stored.GitTime)
		defer cancel()
		reviewed, err = projectAt(inTime, repo, j.PolicyCommit())
	}
	switch {
	case err != nil && shared:
		return nil, &hybridcore.BlockedError{Msg: "the state of a commit that is not merged is that of the default branch, " +
			"which cannot be read", Err: err}
	case err == nil && (shared || reviewed.State.Backend != config.BackendDirectory):
		return &reviewed.State, nil
	}
	return nil, nil //nolint:nilnil // nothing is to be replaced
}

// reviewedRules are the rules of the bot at the commit of the default branch that
// this run was decided by: the checkout may be at a commit with others.
func (h *Host) reviewedRules(ctx context.Context, commit string) (config.Bot, error) {
	repo, err := h.Process.Repository()
	if err != nil {
		return config.Bot{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, stored.GitTime)
	defer cancel()
	project, err := projectAt(ctx, repo, commit)
	if err != nil {
		return config.Bot{}, fmt.Errorf("reading the rules of the bot at commit %.12s: %w", commit, err)
	}
	return project.Bot, nil
}

// policyOf is what the project says about events.
func policyOf(p config.Project) ci.Policy {
	policy := ci.Policy{
		Change: p.CI.Change, Merge: p.CI.Merge, Tag: p.CI.Tag, Schedule: p.CI.Schedule,
		DefaultEnv: p.DefaultEnv, Unmerged: p.CI.Unmerged, Runners: p.CI.Runners,
		ChangeEnvironments: p.CI.ChangeEnvironments, MergeEnvironments: p.Merge.Environments,
	}
	if p.CI.Line > 0 {
		policy.Place = fmt.Sprintf("%s:%d", config.FileName, p.CI.Line)
	}
	for _, env := range p.Environments {
		one := ci.Environment{Name: env.Name, Prod: env.Prod, Platforms: env.Platforms}
		policy.Environments = append(policy.Environments, one)
	}
	return policy
}
