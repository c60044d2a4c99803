// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:50:00Z
// Spec: openspec/specs/posting/spec.md#requirement-two-systems
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package github

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
)

// reports brings checks and comments to one address at GitHub.
type reports struct {
	api client
	to  post.Address
}

// openReports makes what brings reports to an address.
func openReports(access post.Access, to post.Address, timeout time.Duration) (post.Forge, error) {
	client, err := newClient(access.API, to.Repository, byToken(access.Token), timeout)
	if err != nil {
		return nil, err
	}
	return reports{client, to}, nil
}

// Answer implements post.Forge. Version 62 knows a secondary limit with 403 only, so
// its types do not say enough.
func (g reports) Answer(err error) post.Answer {
	var plain *github.ErrorResponse
	var primary *github.RateLimitError
	var secondary *github.AbuseRateLimitError
	switch {
	case errors.As(err, &primary):
		return post.Answer{Status: primary.Response.StatusCode, Header: primary.Response.Header}
	case errors.As(err, &secondary):
		return post.Answer{Status: secondary.Response.StatusCode, Header: secondary.Response.Header}
	case errors.As(err, &plain):
		return post.Answer{Status: plain.Response.StatusCode, Header: plain.Response.Header}
	default:
		return post.Answer{}
	}
}

// Texts implements post.Forge.
func (g reports) Texts(issue *post.Issue) post.Commenter {
	if issue != nil {
		return repositoryIssues{g, *issue}
	}
	return issueComments{g}
}

// issueComments are the comments of a pull request.
type issueComments struct{ g reports }

// Find implements post.Commenter.
func (i issueComments) Find(ctx context.Context, id int64) ([]post.Comment, error) {
	if id == 0 {
		return i.ours(ctx)
	}
	var there *github.IssueComment
	err := i.g.api.call(ctx, func(ctx context.Context, c *github.Client) (err error) {
		there, _, err = c.Issues.GetComment(ctx, i.g.api.owner, i.g.api.repo, id)
		return err //nolint:wrapcheck // wrapped by the caller
	})
	if i.g.Answer(err).Status == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []post.Comment{{ID: id, Body: there.GetBody()}}, nil
}

// ours lists the comments of this slot and author.
func (i issueComments) ours(ctx context.Context) ([]post.Comment, error) {
	options := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 100}}
	return post.Pages(func(number int) (found []post.Comment, next int, err error) {
		options.Page = number
		err = i.g.api.call(ctx, func(ctx context.Context, c *github.Client) error {
			page, answer, err := c.Issues.ListComments(ctx, i.g.api.owner, i.g.api.repo, i.g.to.Change, options)
			if err != nil {
				return err //nolint:wrapcheck // the caller says what it looked for
			}
			found, next = nil, answer.NextPage
			for _, one := range page {
				if i.g.to.Owns(one.GetBody()) && one.GetUser().GetLogin() == i.g.to.Login {
					found = append(found, post.Comment{ID: one.GetID(), Body: one.GetBody()})
				}
			}
			return nil
		})
		return found, next, err
	})
}

// Put implements post.Commenter.
func (i issueComments) Put(ctx context.Context, id int64, body string) (int64, error) {
	text := &github.IssueComment{Body: new(body)}
	err := i.g.api.call(ctx, func(ctx context.Context, c *github.Client) error {
		if id != 0 {
			_, _, err := c.Issues.EditComment(ctx, i.g.api.owner, i.g.api.repo, id, text)
			return err //nolint:wrapcheck // wrapped by the caller
		}
		made, _, err := c.Issues.CreateComment(ctx, i.g.api.owner, i.g.api.repo, i.g.to.Change, text)
		if id = made.GetID(); err == nil && id == 0 {
			return post.ErrNoID
		}
		return err //nolint:wrapcheck // wrapped by the caller
	})
	return id, err
}

// Remove implements post.Commenter.
func (i issueComments) Remove(ctx context.Context, id int64) error {
	return i.g.api.call(ctx, func(ctx context.Context, c *github.Client) error {
		_, err := c.Issues.DeleteComment(ctx, i.g.api.owner, i.g.api.repo, id)
		return err //nolint:wrapcheck // only told
	})
}
