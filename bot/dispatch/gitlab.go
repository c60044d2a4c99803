// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:42:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#parts

package dispatch

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/xanzy/go-gitlab"

	"github.com/packer-hybrid/packer-hybrid/bot"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// Variables of a pipeline; packer-hybrid ci reads them.
const (
	variableCommand = "PACKER_HYBRID_COMMAND"
	variableSHA     = "PACKER_HYBRID_SHA"
	variableRequest = "PACKER_HYBRID_REQUEST_ID"
	variableTicket  = "PACKER_HYBRID_TICKET"
)

// GitLabConfig says where pipelines are asked for, and as whom.
type GitLabConfig struct {
	API     string // base address; empty: https://gitlab.com/api/v4
	Project string // path with namespace, or number
	Token   string // project access token, scope api, role Developer
	Trigger string // token of a pipeline trigger; empty: pipelines are made with Token
	File    string // of the pipeline, as the project's settings have it; empty: .gitlab-ci.yml

	Timeout time.Duration    // of one request; 0: ten seconds
	Now     func() time.Time // nil: the system's clock
}

// GitLab makes pipelines of GitLab CI, and follows them.
type GitLab struct {
	project, trigger, file string

	client  *gitlab.Client
	files   *gitlab.Client // for artifacts
	timeout time.Duration
	now     func() time.Time
}

// NewGitLab checks a configuration.
func NewGitLab(c GitLabConfig) (*GitLab, error) {
	base, err := address(cmp.Or(c.API, "https://gitlab.com/api/v4"))
	switch {
	case err != nil:
		return nil, err
	case c.Project == "":
		return nil, hybridcore.Usagef("no project of GitLab is given: set --repository GROUP/NAME")
	case c.Token == "":
		return nil, hybridcore.Usagef(
			"GITLAB_TOKEN is not set: make a project access token with the scope api and a role that may merge to the branch")
	}
	g := &GitLab{
		project: c.Project, trigger: c.Trigger, file: cmp.Or(c.File, DefaultPipeline),
		timeout: cmp.Or(c.Timeout, callTimeout), now: c.Now,
	}
	if g.now == nil {
		g.now = time.Now
	}
	client := func(files bool) (*gitlab.Client, error) {
		return gitlab.NewClient(c.Token, gitlab.WithBaseURL(base.String()), gitlab.WithoutRetries(),
			gitlab.WithHTTPClient(webapi.Client(webapi.Transport{Most: maxAnswer, Files: files})))
	}
	if g.client, err = client(false); err == nil {
		g.files, err = client(true)
	}
	if err != nil {
		return nil, hybridcore.Usagef("making a client for GitLab: %v", err)
	}
	return g, nil
}

// call makes one request.
func (g *GitLab) call(ctx context.Context, what string, do gitlabCall) error {
	return g.hinted(ctx, what, "check the project, the branch, and what the bot's token may do", do)
}

type gitlabCall func(gitlab.RequestOptionFunc) (*gitlab.Response, error)

// hinted makes one request; the hint says what to do when its refusal stays.
func (g *GitLab) hinted(ctx context.Context, what, hint string, do gitlabCall) error {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	answer, err := do(gitlab.WithContext(ctx))
	if err == nil {
		return nil
	}
	r := refusal{what: "GitLab for " + what, err: err, hint: hint}
	if answer != nil && answer.Response != nil {
		r.status, r.header = answer.StatusCode, answer.Header
	}
	if failed, ok := errors.AsType[*gitlab.ErrorResponse](err); ok && failed.Response != nil {
		r.status, r.header = failed.Response.StatusCode, failed.Response.Header
	}
	if errors.Is(err, gitlab.ErrNotFound) {
		r.status = http.StatusNotFound
	}
	return r.classify(g.now())
}

// Head returns the commit of a branch.
func (g *GitLab) Head(ctx context.Context, ref string) (string, error) {
	found, err := g.branch(ctx, ref)
	if err != nil {
		return "", err
	}
	return found.Commit.ID, nil
}

// branch asks for a branch, which has a commit then.
func (g *GitLab) branch(ctx context.Context, ref string) (found *gitlab.Branch, err error) {
	err = g.call(ctx, "the branch "+ref, func(with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
		found, answer, err = g.client.Branches.GetBranch(g.project, ref, with)
		return answer, err //nolint:wrapcheck // call does
	})
	if err == nil && found.Commit == nil {
		err = errors.New("asking GitLab for the branch " + ref + ": the answer has no commit")
	}
	return found, err
}

// Find looks for a pipeline whose variables have the request's ID.
func (g *GitLab) Find(ctx context.Context, o bot.Order) (bot.Run, bool, error) {
	from := begun(o.Request)
	options := &gitlab.ListProjectPipelinesOptions{
		Ref: &o.Ref, ListOptions: gitlab.ListOptions{PerPage: 50},
		OrderBy: new("id"), Sort: new("desc"),
	}
	for range maxPages {
		var page []*gitlab.PipelineInfo
		next := 0
		err := g.call(ctx, "the pipeline of "+o.Request,
			func(with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
				if page, answer, err = g.client.Pipelines.ListProjectPipelines(g.project, options, with); err == nil {
					next = answer.NextPage
				}
				return answer, err //nolint:wrapcheck // call does
			})
		if err != nil {
			return bot.Run{}, false, err
		}
		for _, one := range page {
			if one.CreatedAt != nil && one.CreatedAt.Before(from) {
				return bot.Run{}, false, nil
			}
			ours, err := g.carries(ctx, one, o.Request)
			if err != nil || ours {
				return bot.Run{ID: strconv.Itoa(one.ID), URL: one.WebURL}, ours, err
			}
		}
		if options.Page = next; next == 0 {
			return bot.Run{}, false, nil
		}
	}
	return bot.Run{}, false, endless("GitLab", "pipelines", o.Request)
}

// carries says whether a pipeline has the ID of a request.
func (g *GitLab) carries(ctx context.Context, p *gitlab.PipelineInfo, request string) (bool, error) {
	if p.Source != "api" && p.Source != "trigger" {
		return false, nil
	}
	var all []*gitlab.PipelineVariable
	err := g.call(ctx, "the variables of a pipeline",
		func(with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
			all, answer, err = g.client.Pipelines.GetPipelineVariables(g.project, p.ID, with)
			return answer, err //nolint:wrapcheck // call does
		})
	return slices.ContainsFunc(all,
		func(v *gitlab.PipelineVariable) bool { return v.Key == variableRequest && v.Value == request }), err
}

// Dispatch makes a pipeline, by the API or by a trigger.
func (g *GitLab) Dispatch(ctx context.Context, o bot.Order) (bot.Run, error) {
	values := map[string]string{
		variableCommand: o.Line, variableSHA: o.Commit, variableRequest: o.Request,
		variableTicket: string(o.Ticket),
	}
	var made *gitlab.Pipeline
	err := g.call(ctx, "a pipeline", func(with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
		if g.trigger != "" {
			made, answer, err = g.client.PipelineTriggers.RunPipelineTrigger(g.project,
				&gitlab.RunPipelineTriggerOptions{Ref: &o.Ref, Token: &g.trigger, Variables: values}, with)
			return answer, err //nolint:wrapcheck // call does
		}
		var list []*gitlab.PipelineVariableOptions
		for key, value := range values {
			list = append(list, &gitlab.PipelineVariableOptions{
				Key: &key, Value: &value,
				VariableType: new(gitlab.EnvVariableType),
			})
		}
		made, answer, err = g.client.Pipelines.CreatePipeline(g.project,
			&gitlab.CreatePipelineOptions{Ref: &o.Ref, Variables: &list}, with)
		return answer, err //nolint:wrapcheck // call does
	})
	if err != nil {
		return bot.Run{}, err
	}
	return bot.Run{ID: strconv.Itoa(made.ID), URL: made.WebURL}, nil
}

// Cancel ends a pipeline. One that has ended is no error.
func (g *GitLab) Cancel(ctx context.Context, run bot.Run) error {
	id, err := number(run.ID)
	if err != nil {
		return err
	}
	return g.call(ctx, "the end of pipeline "+run.ID, func(with gitlab.RequestOptionFunc) (*gitlab.Response, error) {
		_, answer, err := g.client.Pipelines.CancelPipelineBuild(g.project, int(id), with)
		return answer, err //nolint:wrapcheck // call does
	})
}

// Status says what a pipeline has come to: the commit statuses that it made are
// its targets. At its end the answer among its jobs' files has the details.
func (g *GitLab) Status(ctx context.Context, o bot.Order, run bot.Run) (bot.Progress, error) {
	id, err := number(run.ID)
	if err != nil {
		return bot.Progress{}, err
	}
	var now *gitlab.Pipeline
	var jobs []*gitlab.Job
	var statuses []*gitlab.CommitStatus
	page := gitlab.ListOptions{PerPage: 100}
	err = g.call(ctx, "pipeline "+run.ID, func(with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
		if now, answer, err = g.client.Pipelines.GetPipeline(g.project, int(id), with); err != nil {
			return answer, err //nolint:wrapcheck // call does
		}
		if jobs, answer, err = g.client.Jobs.ListPipelineJobs(g.project, int(id), &gitlab.ListJobsOptions{ListOptions: page},
			with); err != nil {
			return answer, err //nolint:wrapcheck // call does
		}
		statuses, answer, err = g.client.Commits.GetCommitStatuses(g.project, o.Commit,
			&gitlab.GetCommitStatusesOptions{ListOptions: page}, with)
		return answer, err //nolint:wrapcheck // call does
	})
	if err != nil {
		return bot.Progress{}, err
	}
	p := bot.Progress{Targets: rows(statuses, jobs, int(id))}
	switch now.Status {
	case "success":
		p.Outcome = unseen()
	case "canceled":
		p.Outcome = bot.Outcome{Status: hybridcore.Cancelled, Why: "the pipeline was cancelled"}
	case "failed", "skipped":
		p.Outcome = bot.Outcome{Status: hybridcore.Failed, Why: failedJob(jobs)}
	default:
		return p, nil
	}
	p.Done = true
	answer, err := g.answer(ctx, jobs)
	if err != nil && !stays(err) {
		return bot.Progress{}, err
	}
	if answer != nil {
		p = withAnswer(p, o, *answer)
	}
	return p, nil
}

// rows are the targets of a pipeline, or its jobs as long as there is no target.
func rows(statuses []*gitlab.CommitStatus, jobs []*gitlab.Job, pipeline int) []bot.Target {
	var all []bot.Target
	for _, s := range statuses {
		var took time.Duration
		if s.StartedAt != nil && s.FinishedAt != nil {
			took = max(s.FinishedAt.Sub(*s.StartedAt), 0)
		}
		if t, ok := row(s.Name, word(s.Status), s.Description, took); ok && s.PipelineId == pipeline {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		for _, j := range jobs {
			all = append(all, bot.Target{
				Name: j.Name, Status: word(j.Status),
				Duration: time.Duration(j.Duration * float64(time.Second)),
			})
		}
	}
	return sorted(all)
}

// word is GitLab's state in ours.
func word(state string) string {
	switch state {
	case "running", "failed", "skipped":
		return state
	case "success":
		return "done"
	case "canceled", "canceling":
		return string(hybridcore.Cancelled)
	default:
		return "queued"
	}
}

func failedJob(jobs []*gitlab.Job) string {
	for _, j := range jobs {
		if j.Status == "failed" {
			return "the job " + j.Name + " failed; its log says why"
		}
	}
	return "the pipeline failed"
}

// answer reads the answer among the files of the jobs; nil for none.
func (g *GitLab) answer(ctx context.Context, jobs []*gitlab.Job) (*hybridcore.Answer, error) {
	var found *hybridcore.Answer
	for _, j := range jobs { // the newest first
		err := g.call(ctx, "a job's answer", func(with gitlab.RequestOptionFunc) (*gitlab.Response, error) {
			file, answer, err := g.files.Jobs.DownloadSingleArtifactsFile(g.project, j.ID,
				"artifacts/"+url.PathEscape(answerFile), with)
			if err == nil {
				said, _ := readAnswer(file) // another file of this name is none
				found = better(found, said)
			}
			return answer, err //nolint:wrapcheck // call does
		})
		if err != nil && !stays(err) || found != nil && found.Record != nil {
			return found, err
		}
	}
	return found, nil
}
