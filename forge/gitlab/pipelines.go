// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:42:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#parts

package gitlab

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

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// RunsConfig says where pipelines are asked for, and as whom.
type RunsConfig struct {
	API     string // base address; empty: https://gitlab.com/api/v4
	Project string // path with namespace, or number
	Token   string // project access token, scope api, role Developer
	Trigger string // token of a pipeline trigger; empty: pipelines are made with Token
	File    string // of the pipeline, as the project's settings have it; empty: .gitlab-ci.yml

	Timeout time.Duration    // of one request; 0: ten seconds
	Now     func() time.Time // nil: the system's clock
}

// Runs makes pipelines of GitLab CI, and follows them.
type Runs struct {
	api, files    client // files: for the files of jobs
	trigger, file string
	now           func() time.Time
}

// NewRuns checks a configuration.
func NewRuns(c RunsConfig) (*Runs, error) {
	switch {
	case c.Project == "":
		return nil, hybridcore.Usagef("no project of GitLab is given: set --repository GROUP/NAME")
	case c.Token == "":
		return nil, hybridcore.Usagef(
			"GITLAB_TOKEN is not set: make a project access token with the scope api and a role that may merge to the branch")
	}
	api, err := newClient(c.API, c.Project, c.Token, cmp.Or(c.Timeout, forge.CallTimeout))
	if err != nil {
		return nil, err
	}
	g := &Runs{
		api: api, files: api.files(c.Token), trigger: c.Trigger, file: cmp.Or(c.File, DefaultPipeline), now: c.Now,
	}
	if g.now == nil {
		g.now = time.Now
	}
	return g, nil
}

// DefaultPipeline is the file of a project's pipeline when its settings name no other one.
const DefaultPipeline = ".gitlab-ci.yml"

// Audience is whom tickets for pipelines of the project are for.
func (g *Runs) Audience() policy.Audience {
	return policy.Audience{System: name, Repository: g.api.project, File: g.file}
}

// ask makes one request of the bot's.
func (g *Runs) ask(ctx context.Context, what string, do request) error {
	return g.hinted(ctx, what, "check the project, the branch, and what the bot's token may do", do)
}

type request func(*gitlab.Client, gitlab.RequestOptionFunc) (*gitlab.Response, error)

// hinted makes one request; the hint says what to do when its refusal stays.
func (g *Runs) hinted(ctx context.Context, what, hint string, do request) error {
	var answer *gitlab.Response
	err := g.api.call(ctx, func(c *gitlab.Client, with gitlab.RequestOptionFunc) (err error) {
		answer, err = do(c, with)
		return err
	})
	if err == nil {
		return nil
	}
	r := forge.Refusal{What: "GitLab for " + what, Err: err, Hint: hint}
	if answer != nil && answer.Response != nil {
		r.Status, r.Header = answer.StatusCode, answer.Header
	}
	if failed, ok := errors.AsType[*gitlab.ErrorResponse](err); ok && failed.Response != nil {
		r.Status, r.Header = failed.Response.StatusCode, failed.Response.Header
	}
	if errors.Is(err, gitlab.ErrNotFound) {
		r.Status = http.StatusNotFound
	}
	return r.Classify(g.now())
}

// Head returns the commit of a branch.
func (g *Runs) Head(ctx context.Context, ref string) (string, error) {
	found, err := g.branch(ctx, ref)
	if err != nil {
		return "", err
	}
	return found.Commit.ID, nil
}

// branch asks for a branch, which has a commit then.
func (g *Runs) branch(ctx context.Context, ref string) (found *gitlab.Branch, err error) {
	err = g.ask(ctx, "the branch "+ref,
		func(c *gitlab.Client, with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
			found, answer, err = c.Branches.GetBranch(g.api.project, ref, with)
			return answer, err //nolint:wrapcheck // ask does
		})
	if err == nil && found.Commit == nil {
		err = errors.New("asking GitLab for the branch " + ref + ": the answer has no commit")
	}
	return found, err
}

// Find looks for a pipeline whose variables have the request's ID.
func (g *Runs) Find(ctx context.Context, o cirun.Order) (cirun.Run, bool, error) {
	from := forge.Begun(o.Request)
	options := &gitlab.ListProjectPipelinesOptions{
		Ref: &o.Ref, ListOptions: gitlab.ListOptions{PerPage: 50},
		OrderBy: new("id"), Sort: new("desc"),
	}
	for range forge.MaxPages {
		var page []*gitlab.PipelineInfo
		next := 0
		err := g.ask(ctx, "the pipeline of "+o.Request,
			func(c *gitlab.Client, with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
				if page, answer, err = c.Pipelines.ListProjectPipelines(g.api.project, options, with); err == nil {
					next = answer.NextPage
				}
				return answer, err //nolint:wrapcheck // ask does
			})
		if err != nil {
			return cirun.Run{}, false, err
		}
		for _, one := range page {
			if one.CreatedAt != nil && one.CreatedAt.Before(from) {
				return cirun.Run{}, false, nil
			}
			ours, err := g.carries(ctx, one, o.Request)
			if err != nil || ours {
				return cirun.Run{ID: strconv.Itoa(one.ID), URL: one.WebURL}, ours, err
			}
		}
		if options.Page = next; next == 0 {
			return cirun.Run{}, false, nil
		}
	}
	return cirun.Run{}, false, forge.Endless("GitLab", "pipelines", o.Request)
}

// carries says whether a pipeline has the ID of a request.
func (g *Runs) carries(ctx context.Context, p *gitlab.PipelineInfo, request string) (bool, error) {
	if p.Source != "api" && p.Source != "trigger" {
		return false, nil
	}
	var all []*gitlab.PipelineVariable
	err := g.ask(ctx, "the variables of a pipeline",
		func(c *gitlab.Client, with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
			all, answer, err = c.Pipelines.GetPipelineVariables(g.api.project, p.ID, with)
			return answer, err //nolint:wrapcheck // ask does
		})
	return slices.ContainsFunc(all,
		func(v *gitlab.PipelineVariable) bool { return v.Key == requestVariable && v.Value == request }), err
}

// Dispatch makes a pipeline, by the API or by a trigger.
func (g *Runs) Dispatch(ctx context.Context, o cirun.Order) (cirun.Run, error) {
	values := map[string]string{
		commandVariable: o.Line, shaVariable: o.Commit, requestVariable: o.Request,
		ticketVariable: string(o.Ticket),
	}
	var made *gitlab.Pipeline
	err := g.ask(ctx, "a pipeline",
		func(c *gitlab.Client, with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
			if g.trigger != "" {
				made, answer, err = c.PipelineTriggers.RunPipelineTrigger(g.api.project,
					&gitlab.RunPipelineTriggerOptions{Ref: &o.Ref, Token: &g.trigger, Variables: values}, with)
				return answer, err //nolint:wrapcheck // ask does
			}
			var list []*gitlab.PipelineVariableOptions
			for key, value := range values {
				list = append(list, &gitlab.PipelineVariableOptions{
					Key: &key, Value: &value,
					VariableType: new(gitlab.EnvVariableType),
				})
			}
			made, answer, err = c.Pipelines.CreatePipeline(g.api.project,
				&gitlab.CreatePipelineOptions{Ref: &o.Ref, Variables: &list}, with)
			return answer, err //nolint:wrapcheck // ask does
		})
	if err != nil {
		return cirun.Run{}, err
	}
	return cirun.Run{ID: strconv.Itoa(made.ID), URL: made.WebURL}, nil
}

// Cancel ends a pipeline. One that has ended is no error.
func (g *Runs) Cancel(ctx context.Context, run cirun.Run) error {
	id, err := forge.Number(run.ID)
	if err != nil {
		return err
	}
	return g.ask(ctx, "the end of pipeline "+run.ID,
		func(c *gitlab.Client, with gitlab.RequestOptionFunc) (*gitlab.Response, error) {
			_, answer, err := c.Pipelines.CancelPipelineBuild(g.api.project, int(id), with)
			return answer, err //nolint:wrapcheck // ask does
		})
}

// Status says what a pipeline has come to: the commit statuses that it made are
// its targets. At its end the answer among its jobs' files has the details.
func (g *Runs) Status(ctx context.Context, o cirun.Order, run cirun.Run) (cirun.Progress, error) {
	id, err := forge.Number(run.ID)
	if err != nil {
		return cirun.Progress{}, err
	}
	var now *gitlab.Pipeline
	var jobs []*gitlab.Job
	var statuses []*gitlab.CommitStatus
	page := gitlab.ListOptions{PerPage: 100}
	err = g.ask(ctx, "pipeline "+run.ID,
		func(c *gitlab.Client, with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
			if now, answer, err = c.Pipelines.GetPipeline(g.api.project, int(id), with); err != nil {
				return answer, err //nolint:wrapcheck // ask does
			}
			if jobs, answer, err = c.Jobs.ListPipelineJobs(g.api.project, int(id), &gitlab.ListJobsOptions{ListOptions: page},
				with); err != nil {
				return answer, err //nolint:wrapcheck // ask does
			}
			statuses, answer, err = c.Commits.GetCommitStatuses(g.api.project, o.Commit,
				&gitlab.GetCommitStatusesOptions{ListOptions: page}, with)
			return answer, err //nolint:wrapcheck // ask does
		})
	if err != nil {
		return cirun.Progress{}, err
	}
	p := cirun.Progress{Targets: rows(statuses, jobs, int(id))}
	switch now.Status {
	case "success":
		p.Outcome = dispatch.Unseen()
	case "canceled":
		p.Outcome = cirun.Outcome{Status: hybridcore.Cancelled, Why: "the pipeline was cancelled"}
	case "failed", "skipped":
		p.Outcome = cirun.Outcome{Status: hybridcore.Failed, Why: failedJob(jobs)}
	default:
		return p, nil
	}
	p.Done = true
	answer, err := g.answer(ctx, jobs)
	if err != nil && !forge.Stays(err) {
		return cirun.Progress{}, err
	}
	if answer != nil {
		p = dispatch.WithAnswer(p, o, *answer)
	}
	return p, nil
}

// rows are the targets of a pipeline, or its jobs as long as there is no target.
func rows(statuses []*gitlab.CommitStatus, jobs []*gitlab.Job, pipeline int) []cirun.Target {
	var all []cirun.Target
	for _, s := range statuses {
		var took time.Duration
		if s.StartedAt != nil && s.FinishedAt != nil {
			took = max(s.FinishedAt.Sub(*s.StartedAt), 0)
		}
		if t, ok := forge.Row(s.Name, word(s.Status), s.Description, took); ok && s.PipelineId == pipeline {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		for _, j := range jobs {
			all = append(all, cirun.Target{
				Name: j.Name, Status: word(j.Status),
				Duration: time.Duration(j.Duration * float64(time.Second)),
			})
		}
	}
	return forge.Sorted(all)
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
func (g *Runs) answer(ctx context.Context, jobs []*gitlab.Job) (*hybridcore.Answer, error) {
	var found *hybridcore.Answer
	files := *g
	files.api = g.files
	for _, j := range jobs { // the newest first
		err := files.ask(ctx, "a job's answer",
			func(c *gitlab.Client, with gitlab.RequestOptionFunc) (*gitlab.Response, error) {
				file, answer, err := c.Jobs.DownloadSingleArtifactsFile(g.api.project, j.ID,
					"artifacts/"+url.PathEscape(forge.AnswerFile), with)
				if err == nil {
					said, _ := forge.ReadAnswer(file) // another file of this name is none
					found = forge.Better(found, said)
				}
				return answer, err //nolint:wrapcheck // ask does
			})
		if err != nil && !forge.Stays(err) || found != nil && found.Record != nil {
			return found, err
		}
	}
	return found, nil
}
