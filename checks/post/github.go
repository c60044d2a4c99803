// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:50:00Z
// Spec: openspec/specs/posting/spec.md#requirement-two-systems
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/go-github/v62/github"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// onGitHub reports to GitHub.
type onGitHub struct{ s *sender }

// call runs one request.
func (g *onGitHub) call(ctx context.Context, do func(context.Context, *github.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, g.s.hub.timeout)
	defer cancel()
	client := github.NewClient(g.s.hub.http)
	client.BaseURL = g.s.hub.base
	return webapi.Plainly(do(ctx, client))
}

// answer implements forge. Version 62 knows a secondary limit with 403 only, so
// its types do not say enough.
func (g *onGitHub) answer(err error) answer {
	var plain *github.ErrorResponse
	var primary *github.RateLimitError
	var secondary *github.AbuseRateLimitError
	switch {
	case errors.As(err, &primary):
		return answer{status: primary.Response.StatusCode, header: primary.Response.Header}
	case errors.As(err, &secondary):
		return answer{status: secondary.Response.StatusCode, header: secondary.Response.Header}
	case errors.As(err, &plain):
		return answer{status: plain.Response.StatusCode, header: plain.Response.Header}
	default:
		return answer{}
	}
}

func (g *onGitHub) comments() commenter { return issueComments{g} }

// issueComments are the comments of a pull request.
type issueComments struct{ g *onGitHub }

// find implements commenter.
func (i issueComments) find(ctx context.Context, id int64) ([]comment, error) {
	if id == 0 {
		return i.ours(ctx)
	}
	var there *github.IssueComment
	owner, repo := i.g.s.box.address.names()
	err := i.g.call(ctx, func(ctx context.Context, c *github.Client) (err error) {
		there, _, err = c.Issues.GetComment(ctx, owner, repo, id)
		return err //nolint:wrapcheck // wrapped by the caller
	})
	if i.g.answer(err).status == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []comment{{id: id, body: there.GetBody()}}, nil
}

// ours lists the comments of this slot and author.
func (i issueComments) ours(ctx context.Context) ([]comment, error) {
	var all []comment
	address := i.g.s.box.address
	owner, repo := address.names()
	options := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 100}}
	for range maxPages {
		next := 0
		err := i.g.call(ctx, func(ctx context.Context, c *github.Client) error {
			page, answer, err := c.Issues.ListComments(ctx, owner, repo, address.Change, options)
			if err != nil {
				return err //nolint:wrapcheck // the caller says what it looked for
			}
			for _, one := range page {
				if _, ok := address.mark(one.GetBody()); ok && one.GetUser().GetLogin() == address.Login {
					all = append(all, comment{id: one.GetID(), body: one.GetBody()})
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
func (i issueComments) put(ctx context.Context, id int64, body string) (int64, error) {
	owner, repo := i.g.s.box.address.names()
	text := &github.IssueComment{Body: new(body)}
	err := i.g.call(ctx, func(ctx context.Context, c *github.Client) error {
		if id != 0 {
			_, _, err := c.Issues.EditComment(ctx, owner, repo, id, text)
			return err //nolint:wrapcheck // wrapped by the caller
		}
		made, _, err := c.Issues.CreateComment(ctx, owner, repo, i.g.s.box.address.Change, text)
		if id = made.GetID(); err == nil && id == 0 {
			return errNoID
		}
		return err //nolint:wrapcheck // wrapped by the caller
	})
	return id, err
}

// remove implements commenter.
func (i issueComments) remove(ctx context.Context, id int64) error {
	owner, repo := i.g.s.box.address.names()
	return i.g.call(ctx, func(ctx context.Context, c *github.Client) error {
		_, err := c.Issues.DeleteComment(ctx, owner, repo, id)
		return err //nolint:wrapcheck // only told
	})
}
