// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:52:00Z
// Spec: openspec/specs/posting/spec.md#requirement-commit-statuses
// Diagram: openspec/specs/posting/diagram.md#states-of-a-commit-status

package gitlab

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/xanzy/go-gitlab"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
)

// maxStatus bounds name, description and address of a commit status, in
// characters (docs.gitlab.com/api/commits).
const maxStatus = 255

// stateOf is GitLab's word for the state of a check.
func stateOf(c *report.Check) gitlab.BuildStateValue {
	switch {
	case c.Status == report.CheckQueued:
		return gitlab.Pending
	case c.Status == report.CheckRunning:
		return gitlab.Running
	case c.Conclusion == report.Success:
		return gitlab.Success
	case c.Conclusion == report.CancelledDone:
		return gitlab.Canceled
	default:
		return gitlab.Failed
	}
}

// stage orders states: a status only moves on, and of its ends there is one.
func stage(state gitlab.BuildStateValue) int {
	switch state {
	case "":
		return 0
	case gitlab.Pending:
		return 1
	case gitlab.Running:
		return 2
	default:
		return 3
	}
}

// there says whether a status that has one state shows another as well as it
// can. GitLab refuses to set a state again.
func there(has, want gitlab.BuildStateValue) bool {
	return has == want || stage(want) < 3 && stage(has) > stage(want)
}

// Check brings a check to GitLab as a commit status. Its first line is all of
// a report that a status has room for; the note has the rest.
func (g *reports) Check(ctx context.Context, it *post.Item, want *report.Check) error {
	state := stateOf(want)
	if it.Tried {
		if err := g.lookStatus(ctx, it, want.Name); err != nil {
			return fmt.Errorf("looking for commit status %s: %w", want.Name, err)
		}
	}
	if there(gitlab.BuildStateValue(it.State), state) {
		return nil
	}
	err := g.putStatus(ctx, it, want.Name, clip(want.Title), state)
	if g.Answer(err).Status == http.StatusBadRequest && strings.Contains(err.Error(), "Cannot transition") {
		// Another process of this run was faster, or an answer was lost on the way.
		if again := g.lookStatus(ctx, it, want.Name); again == nil && there(gitlab.BuildStateValue(it.State), state) {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("reporting commit status %s: %w", want.Name, err)
	}
	return nil
}

func (g *reports) putStatus(ctx context.Context, it *post.Item, name, description string,
	state gitlab.BuildStateValue,
) error {
	address := g.to
	it.Try()
	options := &gitlab.SetCommitStatusOptions{State: state, Name: new(clip(name)), Description: new(description)}
	if url := target(address); url != "" {
		options.TargetURL = new(url)
	}
	if address.Number != 0 {
		options.PipelineID = new(int(address.Number))
	}
	it.Writing()
	return g.call(ctx, func(c *gitlab.Client, with gitlab.RequestOptionFunc) error {
		made, _, err := c.Commits.SetCommitStatus(address.Repository, built(address), options, with)
		if err == nil && made.ID == 0 {
			return post.ErrNoID
		}
		if err == nil {
			know(it, made)
		}
		return err //nolint:wrapcheck // wrapped by the caller
	})
}

// know notes what is there.
func know(it *post.Item, status *gitlab.CommitStatus) {
	it.ID, it.State = int64(status.ID), status.Status
	it.Made()
}

// lookStatus finds what a request whose answer was lost has done: a status of
// this name, author and pipeline, with this run in its address.
func (g *reports) lookStatus(ctx context.Context, it *post.Item, name string) error {
	self, err := g.whoami(ctx)
	if err != nil {
		return err
	}
	address := g.to
	options := &gitlab.GetCommitStatusesOptions{
		ListOptions: gitlab.ListOptions{PerPage: 100}, Name: new(clip(name)),
		All: new(true),
	}
	var found *gitlab.CommitStatus
	for range post.MaxPages {
		next := 0
		err := g.call(ctx, func(c *gitlab.Client, with gitlab.RequestOptionFunc) error {
			page, answer, err := c.Commits.GetCommitStatuses(address.Repository, built(address), options, with)
			if err != nil {
				return err //nolint:wrapcheck // wrapped by the caller
			}
			for _, one := range page {
				ours := one.Name == clip(name) && one.Author.ID == self && one.TargetURL == target(address) &&
					(address.Number == 0 || int64(one.PipelineId) == address.Number)
				if ours && (found == nil || one.ID > found.ID) {
					found = one
				}
			}
			next = answer.NextPage
			return nil
		})
		if err != nil {
			return err
		}
		if options.Page = next; next == 0 {
			if found != nil {
				know(it, found)
			}
			return nil
		}
	}
	return post.ErrEndless
}

// built is the commit of the pipeline.
func built(a post.Address) string { return cmp.Or(a.Pipelined, a.Commit) }

// target is where a commit status leads: to the job, with the run in what a
// browser does not send, so that two attempts are told apart.
func target(a post.Address) string {
	if url := a.URL + "#" + a.Run; a.URL != "" && len(url) <= maxStatus {
		return url
	}
	return ""
}

// clip bounds a text for a commit status.
func clip(text string) string {
	if runes := []rune(text); len(runes) > maxStatus {
		return string(runes[:maxStatus-1]) + "…"
	}
	return text
}
