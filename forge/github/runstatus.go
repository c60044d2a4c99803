// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:41:00Z
// Spec: openspec/specs/bot/spec.md#requirement-following-to-the-end
// Diagram: openspec/specs/bot/diagram.md#one-command

package github

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// wholeRuns are the artifacts of images.yml with the answer of a whole run, then that with the plan of one: the others
// are of jobs that do a part.
var wholeRuns = []string{"images", "release", "reaped", "plan"}

// maxArtifacts is how many artifacts of a run are looked into.
const maxArtifacts = 10

// Status says what a run has come to: its check-runs are its targets. At its
// end the answer among its artifacts has the details.
func (g *Runs) Status(ctx context.Context, o cirun.Order, run cirun.Run) (cirun.Progress, error) {
	id, err := forge.Number(run.ID)
	if err != nil {
		return cirun.Progress{}, err
	}
	var now *github.WorkflowRun
	err = g.ask(ctx, "run "+run.ID, func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
		now, answer, err = c.Actions.GetWorkflowRunByID(ctx, g.api.owner, g.api.repo, id)
		return answer, err //nolint:wrapcheck // ask does
	})
	if err != nil {
		return cirun.Progress{}, err
	}
	targets, err := g.targets(ctx, o.Commit, run)
	if err != nil {
		return cirun.Progress{}, err
	}
	p := cirun.Progress{Targets: targets, Done: now.GetStatus() == "completed"}
	if len(targets) > 0 && !p.Done {
		return p, nil
	}
	jobs, err := g.jobs(ctx, id)
	if err != nil {
		return cirun.Progress{}, err
	}
	if len(targets) == 0 {
		p.Targets = steps(jobs)
	}
	if !p.Done {
		return p, nil
	}
	p.Outcome = ended(now.GetConclusion(), jobs)
	answer, err := g.answer(ctx, id)
	switch {
	case err == nil && answer != nil:
		p = dispatch.WithAnswer(p, o, *answer)
	case err != nil && !forge.Stays(err):
		return cirun.Progress{}, err // ask again: the details are worth it
	}
	return p, nil
}

// jobs are the jobs of a run.
func (g *Runs) jobs(ctx context.Context, run int64) ([]*github.WorkflowJob, error) {
	var found *github.Jobs
	err := g.ask(ctx, "the jobs of the run",
		func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
			found, answer, err = c.Actions.ListWorkflowJobs(ctx, g.api.owner, g.api.repo, run,
				&github.ListWorkflowJobsOptions{ListOptions: github.ListOptions{PerPage: 100}})
			return answer, err //nolint:wrapcheck // ask does
		})
	if err != nil {
		return nil, err
	}
	jobs, err := webapi.Elements(found.Jobs)
	if err != nil {
		return nil, fmt.Errorf("asking GitHub for the jobs of the run: %w", err)
	}
	return jobs, nil
}

// steps are the jobs as rows, as long as no target has one.
func steps(jobs []*github.WorkflowJob) []cirun.Target {
	var all []cirun.Target
	for _, job := range jobs {
		if job.GetConclusion() == "skipped" {
			continue
		}
		t := cirun.Target{Name: job.GetName(), Status: state(job.GetStatus(), job.GetConclusion())}
		for _, step := range job.Steps {
			if step.GetStatus() == "in_progress" || step.GetConclusion() == "failure" {
				t.Step = step.GetName()
			}
		}
		t.Duration = took(job.StartedAt, job.CompletedAt)
		all = append(all, t)
	}
	return all
}

func took(from, to *github.Timestamp) time.Duration {
	if from == nil || to == nil || to.Before(from.Time) {
		return 0
	}
	return to.Sub(from.Time)
}

// targets are the check-runs of a run's targets: their names end in
// ENV/IMAGE@PLATFORM, and they link to the run.
func (g *Runs) targets(ctx context.Context, commit string, run cirun.Run) ([]cirun.Target, error) {
	var all []cirun.Target
	options := &github.ListCheckRunsOptions{Filter: new("all"), ListOptions: github.ListOptions{PerPage: 100}}
	for range forge.MaxPages {
		var page *github.ListCheckRunsResults
		next := 0
		err := g.ask(ctx, "the check-runs",
			func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
				if page, answer, err = c.Checks.ListCheckRunsForRef(ctx, g.api.owner, g.api.repo, commit, options); err == nil {
					next = answer.NextPage
				}
				return answer, err //nolint:wrapcheck // ask does
			})
		if err != nil {
			return nil, err
		}
		runs, err := webapi.Elements(page.CheckRuns)
		if err != nil {
			return nil, fmt.Errorf("asking GitHub for the check-runs: %w", err)
		}
		for _, check := range runs {
			if t, ok := target(check, run); ok {
				all = append(all, t)
			}
		}
		if options.Page = next; next == 0 {
			break
		}
	}
	return forge.Sorted(all), nil
}

// target reads the check-run of a target of this run.
func target(check *github.CheckRun, run cirun.Run) (cirun.Target, bool) {
	link, err := url.Parse(check.GetDetailsURL())
	ours := err == nil && (strings.HasSuffix(link.Path, "/runs/"+run.ID) ||
		strings.Contains(link.Path, "/runs/"+run.ID+"/"))
	if !ours {
		return cirun.Target{}, false
	}
	return forge.Row(check.GetName(), state(check.GetStatus(), check.GetConclusion()), check.GetOutput().GetTitle(),
		took(check.StartedAt, check.CompletedAt))
}

// state is GitHub's status and conclusion in a word.
func state(status, conclusion string) string {
	switch {
	case status == "in_progress":
		return "running"
	case status != "completed":
		return "queued"
	case conclusion == "success" || conclusion == "neutral":
		return "done"
	case conclusion == "cancelled":
		return string(hybridcore.Cancelled)
	case conclusion == "skipped":
		return "skipped"
	default:
		return string(hybridcore.Failed)
	}
}

// ended is the end of a run of which there is no record.
func ended(conclusion string, jobs []*github.WorkflowJob) cirun.Outcome {
	switch conclusion {
	case "success", "neutral", "skipped":
		return dispatch.Unseen()
	case "cancelled":
		return cirun.Outcome{Status: hybridcore.Cancelled, Why: "the run was cancelled"}
	}
	why := "the run ended with " + strings.ReplaceAll(conclusion, "_", " ")
	for _, job := range jobs {
		for _, step := range job.Steps {
			if step.GetConclusion() == "failure" {
				return cirun.Outcome{
					Status: hybridcore.Failed,
					Why:    fmt.Sprintf("%s: the step %q failed; the log says why", job.GetName(), step.GetName()),
				}
			}
		}
	}
	return cirun.Outcome{Status: hybridcore.Failed, Why: why}
}

// answer reads the answer among a run's artifacts; nil for none.
func (g *Runs) answer(ctx context.Context, run int64) (*hybridcore.Answer, error) {
	var list *github.ArtifactList
	err := g.ask(ctx, "the artifacts", func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
		list, answer, err = c.Actions.ListWorkflowRunArtifacts(ctx, g.api.owner, g.api.repo, run,
			&github.ListOptions{PerPage: 100})
		return answer, err //nolint:wrapcheck // ask does
	})
	if err != nil {
		return nil, err
	}
	artifacts, err := webapi.Elements(list.Artifacts)
	if err != nil {
		return nil, fmt.Errorf("asking GitHub for the artifacts: %w", err)
	}
	rank := func(a *github.Artifact) int {
		if at := slices.Index(wholeRuns, a.GetName()); at >= 0 {
			return at
		}
		return len(wholeRuns)
	}
	slices.SortStableFunc(artifacts, func(a, b *github.Artifact) int { return rank(a) - rank(b) })
	var found *hybridcore.Answer
	for _, one := range artifacts[:min(len(artifacts), maxArtifacts)] {
		if one.GetExpired() || one.GetSizeInBytes() > forge.MaxAnswer {
			continue
		}
		data, err := g.download(ctx, one.GetID())
		if err != nil {
			return nil, err
		}
		if answer, err := unzip(data); err == nil { // another file of this name is none
			found = forge.Better(found, answer)
		}
		if found != nil && found.Record != nil {
			break
		}
	}
	return found, nil
}

// download gets an artifact from where GitHub says it is, without the token.
func (g *Runs) download(ctx context.Context, id int64) ([]byte, error) {
	var at *url.URL
	err := g.ask(ctx, "an artifact", func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
		at, answer, err = c.Actions.DownloadArtifact(ctx, g.api.owner, g.api.repo, id, 0)
		return answer, err //nolint:wrapcheck // ask does
	})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("getting an artifact: %w", forge.Shortened(err))
	}
	answer, err := g.files.Do(r)
	if err != nil {
		return nil, fmt.Errorf("getting an artifact: %w", forge.Shortened(err)) // the address is a secret
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	if answer.StatusCode != http.StatusOK {
		return nil, forge.Refusal{
			Status: answer.StatusCode, Header: answer.Header, What: "for an artifact",
			Hint: "it may have expired", Err: errors.New(answer.Status),
		}.Classify(g.now())
	}
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("getting an artifact: %w", err)
	}
	return data, nil
}

// unzip reads the answer in an archive.
func unzip(data []byte) (*hybridcore.Answer, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("reading an artifact: %w", err)
	}
	for _, file := range archive.File {
		if path.Base(file.Name) != forge.AnswerFile {
			continue
		}
		r, err := file.Open()
		if err != nil {
			return nil, fmt.Errorf("reading an artifact: %w", err)
		}
		defer r.Close() //nolint:errcheck // only read
		return forge.ReadAnswer(r)
	}
	return nil, fmt.Errorf("reading an artifact: it has no %s", forge.AnswerFile)
}
