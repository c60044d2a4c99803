// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:24:00Z
// Spec: openspec/specs/posting/spec.md#requirement-one-issue
// Diagram: openspec/specs/posting/diagram.md#the-issue-of-a-repository

package gitlab

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/xanzy/go-gitlab"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
)

// projectIssues are the issues of a slot in a project.
type projectIssues struct {
	g   *reports
	how post.Issue
}

// issue is one as GitLab shows it. The library's own type panics without an identifier.
type issue struct {
	IID         int64  `json:"iid"`
	Description string `json:"description"`
	Author      struct {
		ID int `json:"id"`
	} `json:"author"`
}

// ask makes one request about the issues of the project, or about one of them.
func (i projectIssues) ask(ctx context.Context, method string, id int64, with, into any) (next int, err error) {
	path := "projects/" + gitlab.PathEscape(i.g.to.Repository) + "/issues"
	if id != 0 {
		path += "/" + strconv.FormatInt(id, 10)
	}
	err = i.g.api.call(ctx, func(c *gitlab.Client, option gitlab.RequestOptionFunc) error {
		r, err := c.NewRequest(method, path, with, []gitlab.RequestOptionFunc{option})
		if err != nil {
			return err //nolint:wrapcheck // the caller says what it asked for
		}
		answer, err := c.Do(r, into)
		if err == nil {
			next = answer.NextPage
		}
		return err //nolint:wrapcheck // the caller says what it asked for
	})
	if a := i.g.Answer(err); a.Denied && a.Status != http.StatusNotFound {
		err = fmt.Errorf("the project has its issues turned off, or GITLAB_TOKEN is no project access token with the scope "+
			"api and the role Reporter: %w", err)
	}
	return next, err
}

// Find implements post.Commenter.
func (i projectIssues) Find(ctx context.Context, id int64) ([]post.Comment, error) {
	if id == 0 {
		return i.ours(ctx)
	}
	var there issue
	_, err := i.ask(ctx, http.MethodGet, id, nil, &there)
	if i.g.Answer(err).Status == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []post.Comment{{ID: id, Body: there.Description}}, nil
}

// ours lists the issues of this slot and author, the oldest first.
func (i projectIssues) ours(ctx context.Context) ([]post.Comment, error) {
	self, err := i.g.whoami(ctx)
	if err != nil {
		return nil, err
	}
	options := &gitlab.ListProjectIssuesOptions{
		ListOptions: gitlab.ListOptions{PerPage: 100}, AuthorID: &self, Scope: new("all"), OrderBy: new("created_at"),
		Sort: new("asc"),
	}
	return post.Pages(func(number int) (found []post.Comment, next int, err error) {
		options.Page = number
		var page []issue
		next, err = i.ask(ctx, http.MethodGet, 0, options, &page)
		for _, one := range page {
			if i.g.to.Owns(one.Description) && one.Author.ID == self {
				found = append(found, post.Comment{ID: one.IID, Body: one.Description})
			}
		}
		return found, next, err
	})
}

// Put implements post.Commenter.
func (i projectIssues) Put(ctx context.Context, id int64, body string) (int64, error) {
	if id != 0 {
		return id, i.edit(ctx, id, body, i.how.Open)
	}
	body = post.Disarm(body)
	var made issue
	_, err := i.ask(ctx, http.MethodPost, 0, &gitlab.CreateIssueOptions{Title: &i.how.Title, Description: &body}, &made)
	if err == nil && made.IID == 0 {
		err = post.ErrNoID
	}
	return made.IID, err
}

// Remove implements post.Commenter.
func (i projectIssues) Remove(ctx context.Context, id int64) error {
	return i.edit(ctx, id, post.SecondIssue, false)
}

func (i projectIssues) edit(ctx context.Context, id int64, body string, open bool) error {
	event := "close"
	if open {
		event = "reopen"
	}
	body = post.Disarm(body)
	edit := &gitlab.UpdateIssueOptions{Description: &body, StateEvent: &event}
	_, err := i.ask(ctx, http.MethodPut, id, edit, new(issue))
	return err
}
