// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci

import "github.com/packer-hybrid/packer-hybrid/hybridcore"

// Variables that somebody gives to a pipeline that is to run a command.
const (
	CommandVariable = "PACKER_HYBRID_COMMAND"
	SHAVariable     = "PACKER_HYBRID_SHA"
	RequestVariable = "PACKER_HYBRID_REQUEST_ID"
	TicketVariable  = "PACKER_HYBRID_TICKET"
)

// fromGitLab reads the event of a GitLab job, which is all in its variables.
func fromGitLab(in Input) (Job, error) {
	env := in.Getenv
	source := env("CI_PIPELINE_SOURCE")
	if source == "" {
		return Job{}, hybridcore.Usagef("CI_PIPELINE_SOURCE is not set: GitLab's runner sets it")
	}
	name, err := repository(env("CI_PROJECT_PATH"))
	if err != nil {
		return Job{}, err
	}
	j := Job{
		System: GitLab, Event: shown(source), Repository: name, Ref: shown(env("CI_COMMIT_REF_NAME")),
		Login: shown(env("GITLAB_USER_LOGIN")), Trusted: true,
	}
	j.origin = hybridcore.Origin{Kind: string(GitLab), Actor: shown(env("GITLAB_USER_ID")), URL: link(env("CI_JOB_URL"))}
	sha, branch := env("CI_COMMIT_SHA"), env("CI_COMMIT_BRANCH")
	tip := branch != "" && branch == env("CI_DEFAULT_BRANCH")
	j.tag = env("CI_COMMIT_TAG")
	j.Merged = tip || j.tag != ""
	if line := env(CommandVariable); line != "" {
		in.Policy = in.Policy.only(line)
	}
	switch source {
	case "merge_request_event":
		return j.mergeRequest(sha, in)
	case "push":
		return j.pushed(sha, tip, in)
	case "schedule":
		if err := j.pin(sha); err != nil {
			return Job{}, err
		}
		if env(CommandVariable) == "" {
			return j.run("schedule", lines(in.Policy.Schedule, Default().Schedule), in.Policy)
		}
	case "web", "trigger", "api", "pipeline", "chat":
	case "parent_pipeline":
		if env(CommandVariable) == "" {
			return j.nothing("a child pipeline without %s asks for nothing", CommandVariable)
		}
		// A child of a merge request's pipeline is of that request.
		if from, to := env("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), env("CI_MERGE_REQUEST_PROJECT_ID"); from != "" || to != "" {
			j.Merged, j.Trusted = false, from == to && from == env("CI_PROJECT_ID")
			j.origin.Change = shown(env("CI_MERGE_REQUEST_IID"))
		}
	default:
		return j.nothing("a pipeline of the source %s asks for nothing", j.Event)
	}
	pinned := env(SHAVariable)
	if pinned == "" {
		pinned = sha
	}
	j.Merged = j.Merged && pinned == sha
	return j.asked(asked{line: env(CommandVariable), commit: pinned, id: env(RequestVariable), ticket: env(TicketVariable), how: "the variable " + CommandVariable}, in.Policy)
}

func (j Job) mergeRequest(sha string, in Input) (Job, error) {
	env := in.Getenv
	j.Merged = false
	j.origin.Change = shown(env("CI_MERGE_REQUEST_IID"))
	j.Ref = shown(env("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"))
	// A pipeline for merged results runs on a merge commit, and names the tips
	// of both branches besides; others run on the tip of the source branch.
	if err := j.pin(env("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"), sha); err != nil {
		return Job{}, err
	}
	target := env("CI_MERGE_REQUEST_TARGET_BRANCH_SHA")
	if target == "" {
		target = env("CI_MERGE_REQUEST_DIFF_BASE_SHA")
	}
	base := Job{}
	if err := base.pin(target); err != nil {
		return Job{}, err
	}
	j.Base = base.Commit
	from, to := env("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), env("CI_MERGE_REQUEST_PROJECT_ID")
	j.Trusted = from != "" && from == to && from == env("CI_PROJECT_ID")
	return j.run("merge request", lines(in.Policy.Change, Default().Change), in.Policy)
}

func (j Job) pushed(sha string, tip bool, in Input) (Job, error) {
	if err := j.pin(sha); err != nil {
		return Job{}, err
	}
	switch {
	case in.Getenv("CI_COMMIT_TAG") != "":
		return j.run("tag", lines(in.Policy.Tag, Default().Tag), in.Policy)
	case tip:
		return j.run("push to the default branch", lines(in.Policy.Merge, Default().Merge), in.Policy)
	default:
		return j.nothing("%s is not the default branch; its merge request is what is planned", j.Ref)
	}
}
