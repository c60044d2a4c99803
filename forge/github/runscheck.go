// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:40:19Z
// Spec: openspec/specs/bot/spec.md#requirement-check-before-the-first-command
// Diagram: openspec/specs/bot/diagram.md#a-check

package github

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-github/v62/github"
	"go.yaml.in/yaml/v3"

	"github.com/packer-hybrid/packer-hybrid/forge"
)

// nowhere is a branch that there cannot be: git takes no name with two dots. What
// is asked for there is refused, whoever asks, but not in the same way.
const nowhere = "packer-hybrid..check"

// folder is where GitHub has workflows.
const folder = ".github/workflows/"

// Check says what keeps runs of a branch from being asked for and followed;
// nothing is started.
func (g *Runs) Check(ctx context.Context, ref string) []string {
	var all forge.Problems
	name := g.api.owner + "/" + g.api.repo
	var found *github.Repository
	err := g.hinted(ctx, "the repository "+name, "check its name, and that the bot's token or app has access to it",
		func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
			found, answer, err = c.Repositories.Get(ctx, g.api.owner, g.api.repo)
			return answer, err //nolint:wrapcheck // hinted does
		})
	if err != nil {
		all.Err(err)
		return all // everything else would be refused too
	}
	if found.GetArchived() {
		all.Add("the repository %s is archived, and runs nothing: unarchive it in its settings", name)
	}
	head, err := g.Head(ctx, ref)
	if all.Err(err); err == nil {
		all.Err(g.hinted(ctx, "the check-runs of "+ref, "give the bot's token the permission checks: read; it shows the "+
			"steps of a run by them", func(ctx context.Context, c *github.Client) (*github.Response, error) {
			_, answer, err := c.Checks.ListCheckRunsForRef(ctx, g.api.owner, g.api.repo, head,
				&github.ListCheckRunsOptions{ListOptions: github.ListOptions{PerPage: 1}})
			return answer, err //nolint:wrapcheck // hinted does
		}))
		g.checkFile(ctx, ref, &all)
	}
	g.checkWorkflow(ctx, found.GetDefaultBranch(), &all)
	return all
}

// checkWorkflow asks whether the workflow is switched on, and whether the token
// may start it.
func (g *Runs) checkWorkflow(ctx context.Context, main string, all *forge.Problems) {
	var found *github.Workflow
	hint := fmt.Sprintf("GitHub dispatches only workflows that are on the default branch %s: merge %s%s there, or name "+
		"another file with --workflow", main, folder, g.workflow)
	err := g.hinted(ctx, "the workflow "+g.workflow, hint,
		func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
			found, answer, err = c.Actions.GetWorkflowByFileName(ctx, g.api.owner, g.api.repo, g.workflow)
			return answer, err //nolint:wrapcheck // hinted does
		})
	if err != nil {
		all.Err(err)
		return
	}
	if state := found.GetState(); state != "active" {
		all.Add("the workflow %s is switched off (%s): switch it on on the page Actions, or with gh workflow enable %s",
			g.workflow, state, g.workflow)
	}
	all.Err(g.hinted(ctx, "the permission to start "+g.workflow, "give the bot's token or app the permission actions: "+
		"write", func(ctx context.Context, c *github.Client) (*github.Response, error) {
		answer, err := g.post(ctx, c, nil, map[string]any{"ref": nowhere})
		if answer != nil && answer.StatusCode == http.StatusUnprocessableEntity {
			return answer, nil // it may: only the branch is wrong
		}
		return answer, err
	}))
}

// workflow is what is read of a file of GitHub Actions.
type workflow struct {
	RunName string `yaml:"run-name"`
	On      any    `yaml:"on"`
}

// checkFile reads the workflow as it is on a branch.
func (g *Runs) checkFile(ctx context.Context, ref string, all *forge.Problems) {
	path := folder + g.workflow
	var file *github.RepositoryContent
	const hint = "put the file there (docs/github-actions.md has it), name another one with --workflow, or give the " +
		"bot's token the permission contents: read"
	err := g.hinted(ctx, path+" on "+ref, hint,
		func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
			file, _, answer, err = c.Repositories.GetContents(ctx, g.api.owner, g.api.repo, path,
				&github.RepositoryContentGetOptions{Ref: ref})
			return answer, err //nolint:wrapcheck // hinted does
		})
	if err != nil {
		all.Err(err)
		return
	}
	if file == nil {
		all.Add("%s on %s is a folder, not a file", path, ref)
		return
	}
	text, err := file.GetContent() // a file of which there is nothing gives none
	var flow workflow
	if err == nil {
		err = yaml.Unmarshal([]byte(text), &flow)
	}
	if err != nil {
		all.Add("%s on %s cannot be read: %v; actionlint says more", path, ref, err)
		return
	}
	inputs, on := flow.dispatch()
	if !on {
		all.Add("%s on %s has no workflow_dispatch below on: the bot cannot start it", path, ref)
		return
	}
	for _, name := range []string{inputCommand, inputSHA, inputRequest, inputTicket} {
		if _, has := inputs[name]; !has {
			all.Add("%s on %s: workflow_dispatch has no input %s; GitHub refuses runs with inputs that it does not know", path,
				ref, name)
		}
	}
	if !strings.Contains(flow.RunName, "inputs."+inputRequest) {
		all.Add("%s on %s: run-name lacks ${{ inputs.%s }}, by which the bot finds its run after an answer that was lost",
			path, ref, inputRequest)
	}
}

// dispatch says whether a workflow can be dispatched, and with which inputs.
func (w workflow) dispatch() (inputs map[string]any, on bool) {
	const event = "workflow_dispatch"
	switch events := w.On.(type) {
	case string:
		return nil, events == event
	case []any:
		for _, one := range events {
			on = on || one == event
		}
		return nil, on
	case map[string]any:
		settings, on := events[event]
		inside, _ := settings.(map[string]any)
		inputs, _ = inside["inputs"].(map[string]any)
		return inputs, on
	}
	return nil, false
}
