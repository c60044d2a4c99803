// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:27:30Z
// Spec: openspec/specs/security/spec.md#requirement-tickets-are-signed-and-used-once
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package dispatch

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"
	"github.com/xanzy/go-gitlab"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// maxOlder bounds the pages of a list in which an older run is looked for; GitHub
// lists a thousand runs at most.
const maxOlder = 10

// Systems that a ticket can be for.
const (
	SystemGitHub = "github"
	SystemGitLab = "gitlab"
	SystemLocal  = "local"
)

// DefaultPipeline is the file of a GitLab project's pipeline when its settings
// name no other one.
const DefaultPipeline = ".gitlab-ci.yml"

// Audience is whom tickets for runs of the workflow are for.
func (g *GitHub) Audience() policy.Audience {
	return policy.Audience{System: SystemGitHub, Repository: g.owner + "/" + g.repo, File: path.Base(g.workflow)}
}

// Audience is whom tickets for pipelines of the project are for.
func (g *GitLab) Audience() policy.Audience {
	return policy.Audience{System: SystemGitLab, Repository: g.project, File: g.file}
}

// Audience is whom tickets for runs on this machine are for.
func (l *Local) Audience() policy.Audience { return LocalAudience(l.c.Repository) }

// LocalAudience is that of a repository on this machine.
func LocalAudience(repository string) policy.Audience {
	return policy.Audience{System: SystemLocal, Repository: repository}
}

// older says whether a run was made before a time; not of one that has no time.
func older(run *github.WorkflowRun, than time.Time) bool {
	return run.CreatedAt != nil && run.CreatedAt.Before(than)
}

// Older names a run of the workflow for the same request that is older than one;
// empty when there is none. It reads the runs since the request was made.
func (g *GitHub) Older(ctx context.Context, request, run string) (string, error) {
	mine, err := number(run)
	if err != nil {
		return "", err
	}
	const hint = "give the job's token the permission actions: read, with which it looks for other runs of its ticket"
	options := &github.ListWorkflowRunsOptions{Event: "workflow_dispatch", ListOptions: github.ListOptions{PerPage: 100}}
	from, oldest := begun(request), ""
	for range maxOlder {
		var page *github.WorkflowRuns
		next := 0
		err := g.hinted(ctx, "other runs of "+request, hint,
			func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
				if page, answer, err = c.Actions.ListWorkflowRunsByFileName(ctx, g.owner, g.repo, g.workflow, options); err == nil {
					next = answer.NextPage
				}
				return answer, err //nolint:wrapcheck // hinted does
			})
		if err != nil {
			return "", err
		}
		runs, err := webapi.Elements(page.WorkflowRuns)
		if err != nil {
			return "", fmt.Errorf("asking GitHub for other runs of %s: %w", request, err)
		}
		past := false
		for _, one := range runs {
			past = past || older(one, from)
			if one.GetID() < mine && slices.Contains(strings.Fields(one.GetDisplayTitle()), request) {
				oldest = "github " + strconv.FormatInt(one.GetID(), 10)
			}
		}
		if options.Page = next; next == 0 || past {
			return oldest, nil
		}
	}
	return oldest, hybridcore.Blockedf("there are more runs of %s since request %s than GitHub lists, so that it is "+
		"not known whether it is used twice; ask again in Slack", g.workflow, request)
}

// Older names a pipeline for the same request that is older than one; empty when
// there is none. GitLab shows a pipeline's variables only to who made it and to
// maintainers: what is refused is an error.
func (g *GitLab) Older(ctx context.Context, request, run string) (string, error) {
	mine, err := number(run)
	if err != nil {
		return "", err
	}
	from, oldest := begun(request), ""
	options := &gitlab.ListProjectPipelinesOptions{
		ListOptions: gitlab.ListOptions{PerPage: 50}, OrderBy: new("id"),
		Sort: new("desc"),
	}
	for range maxOlder {
		var page []*gitlab.PipelineInfo
		next := 0
		err := g.call(ctx, "other pipelines of "+request,
			func(with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
				if page, answer, err = g.client.Pipelines.ListProjectPipelines(g.project, options, with); err == nil {
					next = answer.NextPage
				}
				return answer, err //nolint:wrapcheck // call does
			})
		if err != nil {
			return "", err
		}
		for _, one := range page {
			if int64(one.ID) >= mine {
				continue
			}
			if one.CreatedAt != nil && one.CreatedAt.Before(from) {
				return oldest, nil
			}
			ours, err := g.carries(ctx, one, request)
			if err != nil {
				return "", err
			}
			if ours {
				oldest = "gitlab " + strconv.Itoa(one.ID)
			}
		}
		if options.Page = next; next == 0 {
			return oldest, nil
		}
	}
	return oldest, hybridcore.Blockedf("there are more pipelines since request %s than are read, so that it is not "+
		"known whether it is used twice; ask again in Slack", request)
}
