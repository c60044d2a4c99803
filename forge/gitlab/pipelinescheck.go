// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:43:44Z
// Spec: openspec/specs/bot/spec.md#requirement-check-before-the-first-command
// Diagram: openspec/specs/bot/diagram.md#a-check

package gitlab

import (
	"context"
	"slices"
	"strings"

	"github.com/xanzy/go-gitlab"

	"github.com/packer-hybrid/packer-hybrid/forge"
)

// Check says what keeps pipelines of a branch from being made and followed;
// nothing is started.
func (g *Runs) Check(ctx context.Context, ref string) []string {
	var all forge.Problems
	var token *gitlab.PersonalAccessToken
	err := g.hinted(ctx, "the scopes of the bot's token", "make a project access token with the scope api and a role "+
		"that may merge to the branch",
		func(c *gitlab.Client, with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
			token, answer, err = c.PersonalAccessTokens.GetSinglePersonalAccessToken(with)
			return answer, err //nolint:wrapcheck // hinted does
		})
	if err != nil {
		all.Err(err)
		return all // everything else would be refused too
	}
	if !slices.Contains(token.Scopes, "api") {
		all.Add("the bot's token has the scopes %s, without api: make a project access token with the scope api",
			strings.Join(token.Scopes, ", "))
	}
	var project *gitlab.Project
	err = g.hinted(ctx, "the project "+g.api.project, "check its path, group/name, and that the bot's token is of it",
		func(c *gitlab.Client, with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
			project, answer, err = c.Projects.GetProject(g.api.project, nil, with)
			return answer, err //nolint:wrapcheck // hinted does
		})
	if err != nil {
		all.Err(err)
		return all
	}
	if project.Archived {
		all.Add("the project %s is archived, and runs nothing: unarchive it in its settings", g.api.project)
	}
	branch, err := g.branch(ctx, ref)
	if err != nil {
		all.Err(err)
		return all
	}
	if g.trigger == "" && branch.Protected && !branch.CanPush && !branch.DevelopersCanMerge {
		all.Add("the branch %s is protected, and the bot's token may neither push nor merge there, so that GitLab makes "+
			"no pipeline for it: "+
			"allow its role to merge under Settings, Repository, Protected branches, or give the token the role Maintainer", ref)
	}
	g.lint(ctx, ref, &all)
	return all
}

// lint has GitLab judge the pipeline of a branch.
func (g *Runs) lint(ctx context.Context, ref string, all *forge.Problems) {
	var found *gitlab.ProjectLintResult
	err := g.hinted(ctx, "the pipeline of "+ref, "give the bot's token the role Developer; only that may make pipelines",
		func(c *gitlab.Client, with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
			found, answer, err = c.Validate.ProjectLint(g.api.project, &gitlab.ProjectLintOptions{ContentRef: &ref}, with)
			return answer, err //nolint:wrapcheck // hinted does
		})
	switch {
	case err != nil:
		all.Err(err)
	case !found.Valid:
		all.Add("the pipeline of %s is not valid: %.500s; docs/gitlab.md has one to begin with", ref,
			strings.Join(found.Errors, "; "))
	case !strings.Contains(found.MergedYaml, commandVariable):
		all.Add("the pipeline of %s has no variable %s, so that it does not do what it is told: docs/gitlab.md has one to "+
			"begin with", ref, commandVariable)
	}
}
