// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:58:00Z
// Spec: openspec/specs/posting/spec.md#requirement-creations-happen-once
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// Bounds of what is sent and read.
const (
	batch     = 50       // annotations of one request: GitHub's limit
	maxPages  = 30       // of a list, 100 entries each
	maxAnswer = 16 << 20 // bytes
)

// check brings one check-run to GitHub.
func (g *onGitHub) check(ctx context.Context, it *item, want *checks.Check) error {
	if it.tried {
		if err := g.look(ctx, it, want); err != nil {
			return err
		}
	}
	first := true
	for first || it.annotations < len(want.Annotations) {
		next := want.Annotations[min(it.annotations, len(want.Annotations)):]
		err := g.putCheck(ctx, it, want, next[:min(len(next), batch)])
		if g.answer(err).status == http.StatusUnprocessableEntity && len(next) > 0 {
			// A place that GitHub does not accept must not cost the verdict.
			g.s.notes = append(g.s.notes,
				fmt.Sprintf("not reported: %d annotations of check %s: %s", len(next), want.Name, shortError(err)))
			it.annotations = len(want.Annotations)
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
func (g *onGitHub) look(ctx context.Context, it *item, want *checks.Check) error {
	var found *github.CheckRun
	var err error
	if it.id != 0 {
		err = g.call(ctx, func(ctx context.Context, c *github.Client) (err error) {
			owner, repo := g.s.box.address.names()
			found, _, err = c.Checks.GetCheckRun(ctx, owner, repo, it.id)
			return err //nolint:wrapcheck // wrapped below
		})
	} else {
		found, err = g.findCheck(ctx, want.Name, g.s.box.address.externalID(it.key))
	}
	if err != nil {
		return fmt.Errorf("looking for check-run %s: %w", want.Name, err)
	}
	if found != nil {
		it.id, it.annotations = found.GetID(), found.GetOutput().GetAnnotationsCount()
		_ = g.s.box.append(line{Kind: "made", Key: it.key, ID: it.id, Annotations: it.annotations}) // told at the end
	}
	return nil
}

// findCheck looks for a check-run of ours on the commit; nil is none.
func (g *onGitHub) findCheck(ctx context.Context, name, externalID string) (*github.CheckRun, error) {
	owner, repo := g.s.box.address.names()
	app := strings.TrimSuffix(g.s.box.address.Login, "[bot]")
	options := &github.ListCheckRunsOptions{
		CheckName: new(name), Filter: new("all"), ListOptions: github.ListOptions{PerPage: 100},
	}
	for range maxPages {
		var page *github.ListCheckRunsResults
		var next int
		err := g.call(ctx, func(ctx context.Context, c *github.Client) error {
			list, answer, err := c.Checks.ListCheckRunsForRef(ctx, owner, repo, g.s.box.address.Commit, options)
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
	return nil, errEndless
}

// putCheck creates or updates a check-run, with the annotations that come next.
func (g *onGitHub) putCheck(ctx context.Context, it *item, want *checks.Check, annotations []checks.Annotation) error {
	owner, repo := g.s.box.address.names()
	if it.id == 0 || len(annotations) > 0 { // what must not be done twice
		_ = g.s.box.append(line{Kind: "try", Key: it.key}) // told at the end
	}
	var made *github.CheckRun
	g.s.wrote = g.s.clock.Now()
	err := g.call(ctx, func(ctx context.Context, c *github.Client) (err error) {
		if it.id == 0 {
			made, _, err = c.Checks.CreateCheckRun(ctx, owner, repo, g.creation(it.key, want, annotations))
		} else {
			made, _, err = c.Checks.UpdateCheckRun(ctx, owner, repo, it.id, g.change(want, annotations))
		}
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return fmt.Errorf("reporting check-run %s: %w", want.Name, err)
	}
	it.id, it.annotations = made.GetID(), it.annotations+len(annotations)
	if it.id == 0 {
		return fmt.Errorf("reporting check-run %s: %w", want.Name, errNoID)
	}
	_ = g.s.box.append(line{Kind: "made", Key: it.key, ID: it.id, Annotations: it.annotations}) // told at the end
	return nil
}

func (g *onGitHub) creation(key string, want *checks.Check,
	annotations []checks.Annotation,
) github.CreateCheckRunOptions {
	change := g.change(want, annotations)
	o := github.CreateCheckRunOptions{
		Name: want.Name, HeadSHA: g.s.box.address.Commit, ExternalID: new(g.s.box.address.externalID(key)),
		DetailsURL: change.DetailsURL, Status: change.Status, Conclusion: change.Conclusion, CompletedAt: change.CompletedAt,
		Output: change.Output,
	}
	if !want.Started.IsZero() {
		o.StartedAt = &github.Timestamp{Time: want.Started.UTC().Truncate(time.Second)}
	}
	return o
}

func (g *onGitHub) change(want *checks.Check, annotations []checks.Annotation) github.UpdateCheckRunOptions {
	o := github.UpdateCheckRunOptions{
		Name: want.Name, Status: new(want.Status),
		Output: &github.CheckRunOutput{Title: new(want.Title), Summary: new(want.Summary)},
	}
	if url := g.s.box.address.URL; url != "" {
		o.DetailsURL = new(url)
	}
	if want.Text != "" {
		o.Output.Text = new(want.Text)
	}
	if want.Status == checks.CheckCompleted {
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

func (a Address) names() (owner, repo string) {
	owner, repo, _ = strings.Cut(a.Repository, "/")
	return owner, repo
}

// externalID names a check-run of this run. An attempt has its own: it is a
// run of its own.
func (a Address) externalID(key string) string {
	return fmt.Sprintf("%s/%d.%d/%s", a.Run, a.Number, a.Attempt, key)
}
