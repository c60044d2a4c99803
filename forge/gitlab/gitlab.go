// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:05:00Z
// Spec: openspec/specs/repository/spec.md#requirement-forges
// Diagram: openspec/specs/repository/diagram.md#layers

// Package gitlab is all that GitLab needs: the events, files and log of a job of
// GitLab CI, commit statuses and notes, and pipelines that are asked for and followed.
package gitlab

import (
	"context"
	"errors"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// Forge is GitLab.
func Forge() forge.Forge {
	return forge.Forge{
		Name: name, Title: title, Prefix: "GITLAB_",
		Jobs: forge.Jobs{
			Sign: "GITLAB_CI", Workspace: "CI_PROJECT_DIR", Clone: clone, Event: event, Place: place, Ticket: ticket,
			Log:   func(o forge.Output) forge.Log { return log{o.Log, time.Now} },
			Files: files, Share: childPipeline, Together: true,
		},
		Reports: forge.Reports{
			Access: access, Address: address,
			Without: "no commit statuses and no note: GITLAB_TOKEN is not set; it has to be a project access token with the " +
				"scope api and the role Developer, for protected branches Maintainer, since CI_JOB_TOKEN can write neither",
			Needs: "GITLAB_TOKEN, a project access token with the scope api",
		},
		Runs: forge.Runs{
			Open: open, Mine: mine, Older: olderPipeline,
			Events: func(env forge.Getenv) dispatch.Source { return webhook(env("GITLAB_WEBHOOK_TOKEN")) },
		},
	}
}

// System is GitLab as whom reports are sent to.
func System() post.System {
	return post.System{Name: name, Title: title, Groups: true, NoSteps: true, Open: openReports}
}

// clone is the job's repository, for the token of the job.
func clone(env forge.Getenv) forge.Clone {
	return forge.Clone{Repository: env("CI_PROJECT_URL") + ".git", User: "gitlab-ci-token", Token: env("CI_JOB_TOKEN")}
}

// access is how GitLab is reached.
func access(env forge.Getenv) post.Access {
	return post.Access{
		System: System(), API: env("CI_API_V4_URL"), Token: env("GITLAB_TOKEN"), Repository: env("CI_PROJECT_PATH"),
	}
}

// address is where a job reports. A pipeline of merged results has another commit.
func address(env forge.Getenv, j ci.Job) post.Address {
	a := post.Address{Commit: j.Commit, Number: env.Number("CI_PIPELINE_ID"), Attempt: env.Number("CI_JOB_ID")}
	sha := env("CI_COMMIT_SHA")
	if a.Commit == "" {
		a.Commit = sha
	}
	if sha != a.Commit {
		a.Pipelined = sha
	}
	return a
}

// mine are the pipeline that a job is of, and its project, which tickets are addressed
// to: the bot may have its path or its number.
func mine(env forge.Getenv) (id string, audiences []policy.Audience) {
	file := env("CI_CONFIG_PATH")
	if file == "" {
		file = DefaultPipeline
	}
	for _, variable := range []string{"CI_PROJECT_PATH", "CI_PROJECT_ID"} {
		audiences = append(audiences, policy.Audience{System: name, Repository: env(variable), File: file})
	}
	return env("CI_PIPELINE_ID"), audiences
}

var errNoToken = errors.New("GITLAB_TOKEN is not set")

// olderPipeline names an older pipeline of the same request than the job's. GitLab
// tells a project access token's owner of its own pipelines only.
func olderPipeline(ctx context.Context, env forge.Getenv, request string) (string, error) {
	token := env("GITLAB_TOKEN")
	if token == "" {
		return "", &forge.UnsureError{Err: errNoToken}
	}
	runs, err := NewRuns(RunsConfig{API: env("CI_API_V4_URL"), Project: env("CI_PROJECT_PATH"), Token: token})
	if err != nil {
		return "", err
	}
	id, _ := mine(env)
	older, err := runs.Older(ctx, request, id)
	if forge.Stays(err) {
		err = &forge.UnsureError{Err: err}
	}
	return older, err
}

// open asks for pipelines as the environment says.
func open(c forge.Config) (forge.System, error) {
	config := RunsConfig{
		API: c.Getenv("GITLAB_API_URL"), Project: c.Repository, Token: c.Getenv("GITLAB_TOKEN"),
		Trigger: c.Getenv("GITLAB_TRIGGER_TOKEN"), File: c.File,
	}
	if config.Project == "" {
		config.Project = c.Getenv("CI_PROJECT_PATH")
	}
	return NewRuns(config)
}
