// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:56:00Z
// Spec: openspec/specs/repository/spec.md#requirement-forges
// Diagram: openspec/specs/repository/diagram.md#layers

// Package github is all that GitHub needs: the events, files and log of a job of
// GitHub Actions, checks and comments, runs that are asked for and followed, and what
// GitHub knows of changes and people.
package github

import (
	"context"
	"io"
	"path"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/checks/formats"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// Forge is GitHub.
func Forge() forge.Forge {
	return forge.Forge{
		Name: name, Title: title, Prefix: "GITHUB_",
		Jobs: forge.Jobs{
			Sign: "GITHUB_ACTIONS", Workspace: "GITHUB_WORKSPACE", Clone: clone, Event: event, Place: place, Ticket: ticket,
			Log:    func(o forge.Output) forge.Log { return actions(o) },
			Values: func(o forge.Output) forge.Values { return actions(o) },
			Mask:   Mask, Files: files, Uploads: true,
			Decide: outputs, Unnamed: unnamed, Share: matrix, Ask: ask, GoOn: goOn,
		},
		Reports: forge.Reports{
			Access: access, Address: address,
			Without: "no check-runs and no comment: GITHUB_TOKEN is not set",
			Needs:   "GITHUB_TOKEN, a token that may write checks and pull requests",
		},
		Runs: forge.Runs{
			Open: open, Mine: mine, Older: olderRun,
			Events: func(env forge.Getenv) dispatch.Source { return webhook(env("GITHUB_WEBHOOK_SECRET")) },
		},
	}
}

func actions(o forge.Output) Actions { return Actions{Getenv: o.Getenv, Log: o.Log, Root: o.Root} }

// System is GitHub as whom reports are sent to.
func System() post.System {
	return post.System{Name: name, Title: title, Login: "github-actions[bot]", Open: openReports}
}

// clone is the job's repository, for the token of the job.
func clone(env forge.Getenv) forge.Clone {
	return forge.Clone{
		Repository: env("GITHUB_SERVER_URL") + "/" + env("GITHUB_REPOSITORY") + ".git",
		User:       "x-access-token", Token: env("GITHUB_TOKEN"),
	}
}

// access is how GitHub is reached.
func access(env forge.Getenv) post.Access {
	return post.Access{
		System: System(), API: env("GITHUB_API_URL"), Token: env("GITHUB_TOKEN"), Repository: env("GITHUB_REPOSITORY"),
	}
}

// address is where a job reports.
func address(env forge.Getenv, j ci.Job) post.Address {
	commit := j.Commit
	if commit == "" {
		commit = env("GITHUB_SHA")
	}
	return post.Address{
		Commit: commit, Number: env.Number("GITHUB_RUN_ID"), Attempt: env.Number("GITHUB_RUN_ATTEMPT"),
		Login: env("PACKER_HYBRID_LOGIN"),
	}
}

// findings is the file of findings for code scanning.
const findings = "findings.sarif"

// files are those that GitHub reads of a job.
func files(r forge.Results) []forge.File {
	return []forge.File{{Name: findings, Output: "sarif", Write: func(w io.Writer) error {
		return formats.WriteSARIF(w, r.Prefix, r.Findings, r.Version)
	}}}
}

// mine are the run that a job is of, and its workflow, which tickets are addressed to.
func mine(env forge.Getenv) (id string, audiences []policy.Audience) {
	file, _, _ := strings.Cut(env("GITHUB_WORKFLOW_REF"), "@") // OWNER/NAME/.github/workflows/FILE@REF
	return env("GITHUB_RUN_ID"), []policy.Audience{
		{System: name, Repository: env("GITHUB_REPOSITORY"), File: path.Base(file)},
	}
}

// goOn starts the run for the next environment. GitHub starts one for the job's own
// token too, when it is a dispatch.
func goOn(ctx context.Context, env forge.Getenv, o forge.Onward) (string, error) {
	token := env("GITHUB_TOKEN")
	if token == "" {
		return "", hybridcore.Usagef("GITHUB_TOKEN is not set: give the step a token with the permission actions: write")
	}
	_, of := mine(env)
	runs, err := NewRuns(RunsConfig{
		API: env("GITHUB_API_URL"), Repository: of[0].Repository, Workflow: of[0].File, Token: token,
	})
	if err != nil {
		return "", err
	}
	run, err := runs.Dispatch(ctx, cirun.Order{Request: o.Request, Line: o.Line, Ref: o.Branch, Commit: o.Commit})
	return run.URL, err
}

// olderRun names an older run of the same request than the job's.
func olderRun(ctx context.Context, env forge.Getenv, request string) (string, error) {
	token := env("GITHUB_TOKEN")
	if token == "" {
		return "", hybridcore.Blockedf("this job has a ticket of the bot, and cannot ask GitHub whether another run " +
			"has used it: give the step GITHUB_TOKEN, with the permission actions: read")
	}
	id, of := mine(env)
	runs, err := NewRuns(RunsConfig{
		API: env("GITHUB_API_URL"), Repository: of[0].Repository, Workflow: of[0].File, Token: token,
	})
	if err != nil {
		return "", err
	}
	return runs.Older(ctx, request, id)
}
