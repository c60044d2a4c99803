// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:50:00Z
// Spec: openspec/specs/posting/spec.md#requirement-two-systems
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/xanzy/go-gitlab"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
)

// reports brings checks and notes to one address at GitLab.
type reports struct {
	api  client
	to   post.Address
	self int // whom the token belongs to; 0: not asked yet
}

// openReports makes what brings reports to an address.
func openReports(access post.Access, to post.Address, timeout time.Duration) (post.Forge, error) {
	client, err := newClient(access.API, to.Repository, access.Token, timeout)
	if err != nil {
		return nil, err
	}
	return &reports{api: client, to: to}, nil
}

// call makes one request, and says what a token must be that is refused.
func (g *reports) call(ctx context.Context, do func(*gitlab.Client, gitlab.RequestOptionFunc) error) error {
	err := g.api.call(ctx, do)
	if a := g.Answer(err); a.Denied && a.Status != http.StatusNotFound {
		return fmt.Errorf("%w (this needs a project access token with the scope api and the role Developer, for protected "+
			"branches Maintainer; CI_JOB_TOKEN cannot write notes)", err)
	}
	return err
}

// Answer implements post.Forge. GitLab hides with 404 what the token must not see.
func (g *reports) Answer(err error) post.Answer {
	var plain *gitlab.ErrorResponse
	switch {
	case errors.Is(err, gitlab.ErrNotFound):
		return post.Answer{Status: http.StatusNotFound, Denied: true}
	case errors.As(err, &plain):
		a := post.Answer{Status: plain.Response.StatusCode, Header: plain.Response.Header}
		a.Denied = a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden && !post.IsLimit(a, err)
		return a
	default:
		return post.Answer{}
	}
}

// whoami asks once whom the token belongs to: a project access token has a user
// of its own.
func (g *reports) whoami(ctx context.Context) (int, error) {
	if g.self != 0 {
		return g.self, nil
	}
	err := g.call(ctx, func(c *gitlab.Client, with gitlab.RequestOptionFunc) error {
		user, _, err := c.Users.CurrentUser(with)
		if err == nil && user.ID == 0 {
			return post.ErrNoID
		}
		if err == nil {
			g.self = user.ID
		}
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return 0, fmt.Errorf("asking GitLab whose token this is: %w", err)
	}
	return g.self, nil
}

// Texts implements post.Forge.
func (g *reports) Texts(issue *post.Issue) post.Commenter {
	if issue != nil {
		return projectIssues{g, *issue}
	}
	return notes{g}
}

// notes are the notes of a merge request.
type notes struct{ g *reports }

// Find implements post.Commenter.
func (n notes) Find(ctx context.Context, id int64) ([]post.Comment, error) {
	if id == 0 {
		return n.ours(ctx)
	}
	var there *gitlab.Note
	address := n.g.to
	err := n.g.call(ctx, func(c *gitlab.Client, with gitlab.RequestOptionFunc) (err error) {
		there, _, err = c.Notes.GetMergeRequestNote(address.Repository, address.Change, int(id), with)
		return err //nolint:wrapcheck // wrapped by the caller
	})
	if n.g.Answer(err).Status == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []post.Comment{{ID: id, Body: there.Body}}, nil
}

// ours lists the notes of this slot and author.
func (n notes) ours(ctx context.Context) ([]post.Comment, error) {
	self, err := n.g.whoami(ctx)
	if err != nil {
		return nil, err
	}
	address := n.g.to
	options := &gitlab.ListMergeRequestNotesOptions{
		ListOptions: gitlab.ListOptions{PerPage: 100}, OrderBy: new("created_at"), Sort: new("asc"),
	}
	return post.Pages(func(number int) (found []post.Comment, next int, err error) {
		options.Page = number
		err = n.g.call(ctx, func(c *gitlab.Client, with gitlab.RequestOptionFunc) error {
			page, answer, err := c.Notes.ListMergeRequestNotes(address.Repository, address.Change, options, with)
			if err != nil {
				return err //nolint:wrapcheck // the caller says what it looked for
			}
			found, next = nil, answer.NextPage
			for _, one := range page {
				if address.Owns(one.Body) && one.Author.ID == self && !one.System {
					found = append(found, post.Comment{ID: int64(one.ID), Body: one.Body})
				}
			}
			return nil
		})
		return found, next, err
	})
}

// Put implements post.Commenter.
func (n notes) Put(ctx context.Context, id int64, body string) (int64, error) {
	address := n.g.to
	body = post.Disarm(body)
	err := n.g.call(ctx, func(c *gitlab.Client, with gitlab.RequestOptionFunc) error {
		var made *gitlab.Note
		var err error
		if id != 0 {
			made, _, err = c.Notes.UpdateMergeRequestNote(address.Repository, address.Change, int(id),
				&gitlab.UpdateMergeRequestNoteOptions{Body: &body}, with)
		} else {
			made, _, err = c.Notes.CreateMergeRequestNote(address.Repository, address.Change,
				&gitlab.CreateMergeRequestNoteOptions{Body: &body}, with)
		}
		if err == nil && made.ID == 0 {
			return post.ErrNoID
		}
		if err == nil {
			id = int64(made.ID)
		}
		return err //nolint:wrapcheck // wrapped by the caller
	})
	return id, err
}

// Remove implements post.Commenter.
func (n notes) Remove(ctx context.Context, id int64) error {
	address := n.g.to
	return n.g.call(ctx, func(c *gitlab.Client, with gitlab.RequestOptionFunc) error {
		_, err := c.Notes.DeleteMergeRequestNote(address.Repository, address.Change, int(id), with)
		return err //nolint:wrapcheck // only told
	})
}
