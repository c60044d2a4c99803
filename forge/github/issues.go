// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:23:00Z
// Spec: openspec/specs/posting/spec.md#requirement-one-issue
// Diagram: openspec/specs/posting/diagram.md#the-issue-of-a-repository

package github

import (
	"context"
	"fmt"
	"net/http"

	"github.com/google/go-github/v62/github"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
)

// repositoryIssues are the issues of a slot in a repository.
type repositoryIssues struct {
	g   reports
	how post.Issue
}

// Find implements post.Commenter.
func (i repositoryIssues) Find(ctx context.Context, id int64) ([]post.Comment, error) {
	if id == 0 {
		return i.ours(ctx)
	}
	var there *github.Issue
	err := i.g.api.call(ctx, func(ctx context.Context, c *github.Client) (err error) {
		there, _, err = c.Issues.Get(ctx, i.g.api.owner, i.g.api.repo, int(id))
		return err //nolint:wrapcheck // wrapped by the caller
	})
	if status := i.g.Answer(err).Status; status == http.StatusNotFound || status == http.StatusGone {
		return nil, nil // somebody has deleted it
	}
	if err != nil {
		return nil, err
	}
	return []post.Comment{{ID: id, Body: there.GetBody()}}, nil
}

// ours lists the issues of this slot and author, the oldest first. Pull requests are in
// that list, too.
func (i repositoryIssues) ours(ctx context.Context) ([]post.Comment, error) {
	options := &github.IssueListByRepoOptions{
		State: "all", Creator: i.g.to.Login, Sort: "created", Direction: "asc",
		ListOptions: github.ListOptions{PerPage: 100},
	}
	return post.Pages(func(number int) (found []post.Comment, next int, err error) {
		options.Page = number
		err = i.g.api.call(ctx, func(ctx context.Context, c *github.Client) error {
			page, answer, err := c.Issues.ListByRepo(ctx, i.g.api.owner, i.g.api.repo, options)
			if err != nil {
				return err //nolint:wrapcheck // the caller says what it looked for
			}
			found, next = nil, answer.NextPage
			for _, one := range page {
				if i.g.to.Owns(one.GetBody()) && one.GetUser().GetLogin() == i.g.to.Login && !one.IsPullRequest() {
					found = append(found, post.Comment{ID: int64(one.GetNumber()), Body: one.GetBody()})
				}
			}
			return nil
		})
		return found, next, err
	})
}

// Put implements post.Commenter.
func (i repositoryIssues) Put(ctx context.Context, id int64, body string) (int64, error) {
	if id != 0 {
		return id, i.edit(ctx, id, body, i.how.Open, "completed")
	}
	err := i.g.api.call(ctx, func(ctx context.Context, c *github.Client) error {
		made, _, err := c.Issues.Create(ctx, i.g.api.owner, i.g.api.repo,
			&github.IssueRequest{Title: &i.how.Title, Body: &body})
		if id = int64(made.GetNumber()); err == nil && id == 0 {
			return post.ErrNoID
		}
		return err //nolint:wrapcheck // wrapped below
	})
	if i.g.Answer(err).Status == http.StatusGone {
		err = fmt.Errorf("the repository has its issues turned off: %w", err)
	}
	return id, err
}

// Remove implements post.Commenter.
func (i repositoryIssues) Remove(ctx context.Context, id int64) error {
	return i.edit(ctx, id, post.SecondIssue, false, "not_planned")
}

func (i repositoryIssues) edit(ctx context.Context, id int64, body string, open bool, why string) error {
	edit := &github.IssueRequest{Body: &body, State: new("open"), StateReason: new("reopened")}
	if !open {
		edit.State, edit.StateReason = new("closed"), &why
	}
	return i.g.api.call(ctx, func(ctx context.Context, c *github.Client) error {
		_, _, err := c.Issues.Edit(ctx, i.g.api.owner, i.g.api.repo, int(id), edit)
		return err //nolint:wrapcheck // wrapped by the caller
	})
}
