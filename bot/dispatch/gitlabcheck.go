// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:43:44Z
// Spec: openspec/specs/bot/spec.md#requirement-check-before-the-first-command
// Diagram: openspec/specs/bot/diagram.md#a-check

package dispatch

import (
	"context"
	"slices"
	"strings"

	"github.com/xanzy/go-gitlab"
)

// Check says what keeps pipelines of a branch from being made and followed;
// nothing is started.
func (g *GitLab) Check(ctx context.Context, ref string) []string {
	var all problems
	var token *gitlab.PersonalAccessToken
	err := g.hinted(ctx, "the scopes of the bot's token", "make a project access token with the scope api and a role "+
		"that may merge to the branch", func(with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
		token, answer, err = g.client.PersonalAccessTokens.GetSinglePersonalAccessToken(with)
		return answer, err //nolint:wrapcheck // hinted does
	})
	if err != nil {
		all.err(err)
		return all // everything else would be refused too
	}
	if !slices.Contains(token.Scopes, "api") {
		all.add("the bot's token has the scopes %s, without api: make a project access token with the scope api",
			strings.Join(token.Scopes, ", "))
	}
	var project *gitlab.Project
	err = g.hinted(ctx, "the project "+g.project, "check its path, group/name, and that the bot's token is of it",
		func(with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
			project, answer, err = g.client.Projects.GetProject(g.project, nil, with)
			return answer, err //nolint:wrapcheck // hinted does
		})
	if err != nil {
		all.err(err)
		return all
	}
	if project.Archived {
		all.add("the project %s is archived, and runs nothing: unarchive it in its settings", g.project)
	}
	branch, err := g.branch(ctx, ref)
	if err != nil {
		all.err(err)
		return all
	}
	if g.trigger == "" && branch.Protected && !branch.CanPush && !branch.DevelopersCanMerge {
		all.add("the branch %s is protected, and the bot's token may neither push nor merge there, so that GitLab makes "+
			"no pipeline for it: "+
			"allow its role to merge under Settings, Repository, Protected branches, or give the token the role Maintainer", ref)
	}
	g.lint(ctx, ref, &all)
	return all
}

// lint has GitLab judge the pipeline of a branch.
func (g *GitLab) lint(ctx context.Context, ref string, all *problems) {
	var found *gitlab.ProjectLintResult
	err := g.hinted(ctx, "the pipeline of "+ref, "give the bot's token the role Developer; only that may make pipelines",
		func(with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
			found, answer, err = g.client.Validate.ProjectLint(g.project, &gitlab.ProjectLintOptions{ContentRef: &ref}, with)
			return answer, err //nolint:wrapcheck // hinted does
		})
	switch {
	case err != nil:
		all.err(err)
	case !found.Valid:
		all.add("the pipeline of %s is not valid: %.500s; docs/gitlab.md has one to begin with", ref,
			strings.Join(found.Errors, "; "))
	case !strings.Contains(found.MergedYaml, variableCommand):
		all.add("the pipeline of %s has no variable %s, so that it does not do what it is told: docs/gitlab.md has one to "+
			"begin with", ref, variableCommand)
	}
}
