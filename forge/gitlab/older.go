// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:01:00Z
// Spec: openspec/specs/bot/spec.md#requirement-tickets
// Diagram: openspec/specs/bot/diagram.md#one-command

package gitlab

import (
	"context"
	"strconv"

	"github.com/xanzy/go-gitlab"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Older names a pipeline for the same request that is older than one; empty when
// there is none. GitLab shows a pipeline's variables only to who made it and to
// maintainers: what is refused is an error.
func (g *Runs) Older(ctx context.Context, request, run string) (string, error) {
	mine, err := forge.Number(run)
	if err != nil {
		return "", err
	}
	from, oldest := forge.Begun(request), ""
	options := &gitlab.ListProjectPipelinesOptions{
		ListOptions: gitlab.ListOptions{PerPage: 50}, OrderBy: new("id"),
		Sort: new("desc"),
	}
	for range forge.MaxOlder {
		var page []*gitlab.PipelineInfo
		next := 0
		err := g.ask(ctx, "other pipelines of "+request,
			func(c *gitlab.Client, with gitlab.RequestOptionFunc) (answer *gitlab.Response, err error) {
				if page, answer, err = c.Pipelines.ListProjectPipelines(g.api.project, options, with); err == nil {
					next = answer.NextPage
				}
				return answer, err //nolint:wrapcheck // ask does
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
