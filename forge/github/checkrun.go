// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:58:00Z
// Spec: openspec/specs/posting/spec.md#requirement-creations-happen-once
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

const batch = 50 // annotations of one request: GitHub's limit

// Check brings one check-run to GitHub.
func (g reports) Check(ctx context.Context, it *post.Item, want *report.Check) error {
	if it.Tried {
		if err := g.look(ctx, it, want); err != nil {
			return err
		}
	}
	first := true
	for first || it.Annotations < len(want.Annotations) {
		next := want.Annotations[min(it.Annotations, len(want.Annotations)):]
		err := g.putCheck(ctx, it, want, next[:min(len(next), batch)])
		if g.Answer(err).Status == http.StatusUnprocessableEntity && len(next) > 0 {
			// A place that GitHub does not accept must not cost the verdict.
			it.Note(fmt.Sprintf("not reported: %d annotations of check %s: %s", len(next), want.Name, post.ShortError(err)))
			it.Annotations = len(want.Annotations)
			err = g.putCheck(ctx, it, want, nil)
		}
		if err != nil {
			return err
		}
		first = false
	}
	return nil
}

// look finds what a request whose answer was lost has done.
func (g reports) look(ctx context.Context, it *post.Item, want *report.Check) error {
	var found *github.CheckRun
	var err error
	if it.ID != 0 {
		err = g.api.call(ctx, func(ctx context.Context, c *github.Client) (err error) {
			found, _, err = c.Checks.GetCheckRun(ctx, g.api.owner, g.api.repo, it.ID)
			return err //nolint:wrapcheck // wrapped below
		})
	} else {
		found, err = g.findCheck(ctx, want.Name, externalID(g.to, it.Key))
	}
	if err != nil {
		return fmt.Errorf("looking for check-run %s: %w", want.Name, err)
	}
	if found != nil {
		it.ID, it.Annotations = found.GetID(), found.GetOutput().GetAnnotationsCount()
		it.Made()
	}
	return nil
}

// findCheck looks for a check-run of ours on the commit; nil is none.
func (g reports) findCheck(ctx context.Context, name, externalID string) (*github.CheckRun, error) {
	app := strings.TrimSuffix(g.to.Login, "[bot]")
	options := &github.ListCheckRunsOptions{
		CheckName: new(name), Filter: new("all"), ListOptions: github.ListOptions{PerPage: 100},
	}
	for range post.MaxPages {
		var page *github.ListCheckRunsResults
		var next int
		err := g.api.call(ctx, func(ctx context.Context, c *github.Client) error {
			list, answer, err := c.Checks.ListCheckRunsForRef(ctx, g.api.owner, g.api.repo, g.to.Commit, options)
			if err == nil {
				page, next = list, answer.NextPage
			}
			return err //nolint:wrapcheck // the caller says what it looked for
		})
		if err != nil {
			return nil, err
		}
		runs, err := webapi.Elements(page.CheckRuns)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(runs, func(c *github.CheckRun) bool {
			return c.GetExternalID() == externalID && c.GetApp().GetSlug() == app
		})
		if at >= 0 {
			return runs[at], nil
		}
		if options.Page = next; next == 0 {
			return nil, nil
		}
	}
	return nil, post.ErrEndless
}

// putCheck creates or updates a check-run, with the annotations that come next.
func (g reports) putCheck(ctx context.Context, it *post.Item, want *report.Check,
	annotations []report.Annotation,
) error {
	if it.ID == 0 || len(annotations) > 0 { // what must not be done twice
		it.Try()
	}
	var made *github.CheckRun
	it.Writing()
	err := g.api.call(ctx, func(ctx context.Context, c *github.Client) (err error) {
		if it.ID == 0 {
			made, _, err = c.Checks.CreateCheckRun(ctx, g.api.owner, g.api.repo, g.creation(it.Key, want, annotations))
		} else {
			made, _, err = c.Checks.UpdateCheckRun(ctx, g.api.owner, g.api.repo, it.ID, g.change(want, annotations))
		}
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return fmt.Errorf("reporting check-run %s: %w", want.Name, err)
	}
	it.ID, it.Annotations = made.GetID(), it.Annotations+len(annotations)
	if it.ID == 0 {
		return fmt.Errorf("reporting check-run %s: %w", want.Name, post.ErrNoID)
	}
	it.Made()
	return nil
}

func (g reports) creation(key string, want *report.Check,
	annotations []report.Annotation,
) github.CreateCheckRunOptions {
	change := g.change(want, annotations)
	o := github.CreateCheckRunOptions{
		Name: want.Name, HeadSHA: g.to.Commit, ExternalID: new(externalID(g.to, key)),
		DetailsURL: change.DetailsURL, Status: change.Status, Conclusion: change.Conclusion, CompletedAt: change.CompletedAt,
		Output: change.Output,
	}
	if !want.Started.IsZero() {
		o.StartedAt = &github.Timestamp{Time: want.Started.UTC().Truncate(time.Second)}
	}
	return o
}

func (g reports) change(want *report.Check, annotations []report.Annotation) github.UpdateCheckRunOptions {
	o := github.UpdateCheckRunOptions{
		Name: want.Name, Status: new(want.Status),
		Output: &github.CheckRunOutput{Title: new(want.Title), Summary: new(want.Summary)},
	}
	if url := g.to.URL; url != "" {
		o.DetailsURL = new(url)
	}
	if want.Text != "" {
		o.Output.Text = new(want.Text)
	}
	if want.Status == report.CheckCompleted {
		o.Conclusion = new(want.Conclusion)
		o.CompletedAt = &github.Timestamp{Time: want.Completed.UTC().Truncate(time.Second)}
	}
	for _, a := range annotations {
		line := max(a.Line, 1)
		one := &github.CheckRunAnnotation{
			Path: new(a.Path), StartLine: new(line), EndLine: new(line),
			AnnotationLevel: new(a.Level), Message: new(a.Message),
		}
		if a.Title != "" {
			one.Title = new(a.Title)
		}
		o.Output.Annotations = append(o.Output.Annotations, one)
	}
	return o
}

// externalID names a check-run of this run. An attempt has its own: it is a
// run of its own.
func externalID(a post.Address, key string) string {
	return fmt.Sprintf("%s/%d.%d/%s", a.Run, a.Number, a.Attempt, key)
}
