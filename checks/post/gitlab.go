// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:50:00Z
// Spec: openspec/specs/posting/spec.md#requirement-two-systems
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/xanzy/go-gitlab"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// onGitLab reports to GitLab.
type onGitLab struct {
	s    *sender
	self int // whom the token belongs to; 0: not asked yet
}

// call runs one request.
func (g *onGitLab) call(ctx context.Context, do func(*gitlab.Client, gitlab.RequestOptionFunc) error) error {
	ctx, cancel := context.WithTimeout(ctx, g.s.hub.timeout)
	defer cancel()
	client, err := gitlab.NewClient("", gitlab.WithBaseURL(g.s.hub.base.String()), gitlab.WithHTTPClient(g.s.hub.http),
		gitlab.WithoutRetries())
	if err != nil {
		return fmt.Errorf("making a client for GitLab: %w", err)
	}
	err = webapi.Plainly(do(client, gitlab.WithContext(ctx)))
	if a := g.answer(err); a.denied && a.status != http.StatusNotFound {
		return fmt.Errorf("%w (this needs a project access token with the scope api and the role Developer, for protected "+
			"branches Maintainer; CI_JOB_TOKEN cannot write notes)", err)
	}
	return err
}

// answer implements forge. GitLab hides with 404 what the token must not see.
func (g *onGitLab) answer(err error) answer {
	var plain *gitlab.ErrorResponse
	switch {
	case errors.Is(err, gitlab.ErrNotFound):
		return answer{status: http.StatusNotFound, denied: true}
	case errors.As(err, &plain):
		a := answer{status: plain.Response.StatusCode, header: plain.Response.Header}
		a.denied = a.status == http.StatusUnauthorized || a.status == http.StatusForbidden && !isLimit(a, err)
		return a
	default:
		return answer{}
	}
}

// whoami asks once whom the token belongs to: a project access token has a user
// of its own.
func (g *onGitLab) whoami(ctx context.Context) (int, error) {
	if g.self != 0 {
		return g.self, nil
	}
	err := g.call(ctx, func(c *gitlab.Client, with gitlab.RequestOptionFunc) error {
		user, _, err := c.Users.CurrentUser(with)
		if err == nil && user.ID == 0 {
			return errNoID
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

func (g *onGitLab) comments() commenter { return notes{g} }

// notes are the notes of a merge request.
type notes struct{ g *onGitLab }

// find implements commenter.
func (n notes) find(ctx context.Context, id int64) ([]comment, error) {
	if id == 0 {
		return n.ours(ctx)
	}
	var there *gitlab.Note
	address := n.g.s.box.address
	err := n.g.call(ctx, func(c *gitlab.Client, with gitlab.RequestOptionFunc) (err error) {
		there, _, err = c.Notes.GetMergeRequestNote(address.Repository, address.Change, int(id), with)
		return err //nolint:wrapcheck // wrapped by the caller
	})
	if n.g.answer(err).status == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []comment{{id: id, body: there.Body}}, nil
}

// ours lists the notes of this slot and author.
func (n notes) ours(ctx context.Context) ([]comment, error) {
	self, err := n.g.whoami(ctx)
	if err != nil {
		return nil, err
	}
	var all []comment
	address := n.g.s.box.address
	options := &gitlab.ListMergeRequestNotesOptions{
		ListOptions: gitlab.ListOptions{PerPage: 100}, OrderBy: new("created_at"), Sort: new("asc"),
	}
	for range maxPages {
		next := 0
		err := n.g.call(ctx, func(c *gitlab.Client, with gitlab.RequestOptionFunc) error {
			page, answer, err := c.Notes.ListMergeRequestNotes(address.Repository, address.Change, options, with)
			if err != nil {
				return err //nolint:wrapcheck // the caller says what it looked for
			}
			for _, one := range page {
				if _, ok := address.mark(one.Body); ok && one.Author.ID == self && !one.System {
					all = append(all, comment{id: int64(one.ID), body: one.Body})
				}
			}
			next = answer.NextPage
			return nil
		})
		if err != nil {
			return nil, err
		}
		if options.Page = next; next == 0 {
			return all, nil
		}
	}
	return nil, errEndless
}

// put implements commenter.
func (n notes) put(ctx context.Context, id int64, body string) (int64, error) {
	address := n.g.s.box.address
	body = disarm(body)
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
			return errNoID
		}
		if err == nil {
			id = int64(made.ID)
		}
		return err //nolint:wrapcheck // wrapped by the caller
	})
	return id, err
}

// remove implements commenter.
func (n notes) remove(ctx context.Context, id int64) error {
	address := n.g.s.box.address
	return n.g.call(ctx, func(c *gitlab.Client, with gitlab.RequestOptionFunc) error {
		_, err := c.Notes.DeleteMergeRequestNote(address.Repository, address.Change, int(id), with)
		return err //nolint:wrapcheck // only told
	})
}

// quick is the beginning of a line that GitLab would obey as a quick action in
// the name of the token's owner: /approve, /merge.
var quick = regexp.MustCompile(`(?m)^([\t ]*)/`)

// disarm puts an invisible word joiner before what could be a quick action,
// wherever it stands: GitLab's own exceptions for code have changed before.
func disarm(body string) string {
	return quick.ReplaceAllString(strings.ReplaceAll(body, "\r", ""), "${1}\u2060/")
}
