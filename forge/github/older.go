// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:27:30Z
// Spec: openspec/specs/security/spec.md#requirement-tickets-are-signed-and-used-once
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package github

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// Audience is whom tickets for runs of the workflow are for.
func (g *Runs) Audience() policy.Audience {
	return policy.Audience{System: name, Repository: g.api.owner + "/" + g.api.repo, File: path.Base(g.workflow)}
}

// Older names a run of the workflow for the same request that is older than one;
// empty when there is none. It reads the runs since the request was made.
func (g *Runs) Older(ctx context.Context, request, run string) (string, error) {
	mine, err := forge.Number(run)
	if err != nil {
		return "", err
	}
	const hint = "give the job's token the permission actions: read, with which it looks for other runs of its ticket"
	options := &github.ListWorkflowRunsOptions{Event: "workflow_dispatch", ListOptions: github.ListOptions{PerPage: 100}}
	from, oldest := forge.Begun(request), ""
	for range forge.MaxOlder {
		var page *github.WorkflowRuns
		next := 0
		err := g.hinted(ctx, "other runs of "+request, hint,
			func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
				page, answer, err = c.Actions.ListWorkflowRunsByFileName(ctx, g.api.owner, g.api.repo, g.workflow, options)
				if err == nil {
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
