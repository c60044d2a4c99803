// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:02:00Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package gitlab

import (
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// GitLab's name, in files and for people.
const (
	name  = "gitlab"
	title = "GitLab"
)

// Variables that somebody gives to a pipeline that is to run a command.
const (
	commandVariable = "PACKER_HYBRID_COMMAND"
	shaVariable     = "PACKER_HYBRID_SHA"
	requestVariable = "PACKER_HYBRID_REQUEST_ID"
	ticketVariable  = "PACKER_HYBRID_TICKET"
	// scheduledVariable is of the jobs in the child pipeline of a schedule that put looks together.
	scheduledVariable = "PACKER_HYBRID_SCHEDULED"
)

// place is the job of a process, by its environment.
func place(env forge.Getenv) ci.Place {
	return ci.Place{
		System: name, Title: title, Event: env("CI_PIPELINE_SOURCE"), Repository: env("CI_PROJECT_PATH"),
		Ref: env("CI_COMMIT_REF_NAME"), Login: env("GITLAB_USER_LOGIN"), Run: env("CI_PIPELINE_ID"),
		Origin: hybridcore.Origin{Kind: name, Actor: env("GITLAB_USER_ID"), URL: env("CI_JOB_URL")},
		// Each schedule brings variables of its own.
		Apart: "ask for the other by a pipeline or schedule of its own with " + commandVariable,
	}
}

// ticket is the bot's, as the variables of the pipeline bring it.
func ticket(in ci.Input) (string, error) { return in.Getenv(ticketVariable), nil }

// event reads the event of a job, which is all in its variables.
func event(in ci.Input) (ci.Event, error) {
	env := in.Getenv
	source := env("CI_PIPELINE_SOURCE")
	if source == "" {
		return ci.Event{}, hybridcore.Usagef("CI_PIPELINE_SOURCE is not set: GitLab's runner sets it")
	}
	e := ci.Event{
		Place: place(env), Commits: []string{env("CI_COMMIT_SHA")}, Branch: env("CI_DEFAULT_BRANCH"),
		Tag: env("CI_COMMIT_TAG"), Line: env(commandVariable), Word: "merge request",
	}
	tip := e.Branch != "" && env("CI_COMMIT_BRANCH") == e.Branch
	switch source {
	case "merge_request_event":
		return mergeRequest(e, env), nil
	case "push":
		return push(e, env, tip)
	case "schedule", "web", "trigger", "api", "pipeline", "chat":
	case "parent_pipeline":
		if e.Line == "" {
			e.Nothing = "a child pipeline without " + commandVariable + " asks for nothing"
			return e, nil
		}
		// A child of a merge request's pipeline is of that request.
		if env("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") != "" || env("CI_MERGE_REQUEST_PROJECT_ID") != "" {
			return mergeRequest(e, env), nil
		}
	default:
		e.Nothing = "a pipeline of the source " + ci.Shown(source) + " asks for nothing"
		return e, nil
	}
	if err := protected(e, env, tip); err != nil {
		return ci.Event{}, err
	}
	if source == "schedule" && e.Line == "" {
		e.Kind = ci.KindSchedule
		return e, nil
	}
	e.Kind = ci.KindCommand
	if pinned := env(shaVariable); pinned != "" {
		e.Commits = []string{pinned}
	}
	e.Scheduled = source == "parent_pipeline" && env(scheduledVariable) == "true"
	e.Command = ci.Command{
		Line: e.Line, Request: env(requestVariable), Ticket: env(ticketVariable), Child: source == "parent_pipeline",
		Where: "the variable " + commandVariable,
	}
	return e, nil
}

// protected refuses a pipeline of a branch or tag that anybody may push to: its
// jobs and their variables are what the pusher made of them.
func protected(e ci.Event, env forge.Getenv, tip bool) error {
	switch {
	case tip:
		return nil
	case e.Tag == "":
		return hybridcore.Blockedf("%s is not the default branch: such pipelines run there, or for a protected tag",
			ci.Shown(e.Place.Ref))
	case env("CI_COMMIT_REF_PROTECTED") != "true":
		return hybridcore.Blockedf("the tag %s is not protected, so that anybody who may push could have made it; "+
			"protect it in the project's settings", ci.Shown(e.Place.Ref))
	}
	return nil
}

func mergeRequest(e ci.Event, env forge.Getenv) ci.Event {
	e.Kind, e.Place.Origin.Change = ci.KindChange, env("CI_MERGE_REQUEST_IID")
	e.Place.Ref = env("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
	// A pipeline for merged results runs on a merge commit, and names the tips
	// of both branches besides; others run on the tip of the source branch.
	e.Commits = []string{env("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"), env("CI_COMMIT_SHA")}
	if e.Base = env("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"); e.Base == "" {
		e.Base = env("CI_MERGE_REQUEST_DIFF_BASE_SHA")
	}
	from, to := env("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), env("CI_MERGE_REQUEST_PROJECT_ID")
	e.Foreign = from == "" || from != to || from != env("CI_PROJECT_ID")
	return e
}

func push(e ci.Event, env forge.Getenv, tip bool) (ci.Event, error) {
	if e.Kind = ci.KindMerge; e.Tag != "" {
		e.Kind = ci.KindTag
	}
	if e.Tag == "" && !tip {
		e.Nothing = ci.Shown(e.Place.Ref) + " is not the default branch; its merge request is what is planned"
		return e, nil
	}
	return e, protected(e, env, tip)
}
