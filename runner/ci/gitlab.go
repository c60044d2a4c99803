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
	in.line = env(CommandVariable)
	sha, branch := env("CI_COMMIT_SHA"), env("CI_DEFAULT_BRANCH")
	tip := branch != "" && env("CI_COMMIT_BRANCH") == branch
	j.reading.tag = env("CI_COMMIT_TAG")
	switch source {
	case "merge_request_event":
		return j.mergeRequest(sha, in)
	case "push":
		return j.pushed(sha, tip, in)
	case "schedule", "web", "trigger", "api", "pipeline", "chat":
	case "parent_pipeline":
		if in.line == "" {
			return j.nothing("a child pipeline without %s asks for nothing", CommandVariable)
		}
		// A child of a merge request's pipeline is of that request.
		if env("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") != "" || env("CI_MERGE_REQUEST_PROJECT_ID") != "" {
			return j.mergeRequest(sha, in)
		}
	default:
		return j.nothing("a pipeline of the source %s asks for nothing", j.Event)
	}
	if err := j.protected(tip, in); err != nil {
		return Job{}, err
	}
	if source == "schedule" && in.line == "" {
		return j.scheduled(sha, in)
	}
	pinned := env(SHAVariable)
	if pinned == "" {
		pinned = sha
	}
	a := asked{line: in.line, commit: pinned, how: "the variable " + CommandVariable}
	a.id, a.ticket = env(RequestVariable), env(TicketVariable)
	return j.asked(a, in, branch)
}

// scheduled does what the policy has for a schedule.
func (j Job) scheduled(sha string, in Input) (Job, error) {
	if err := j.pin(sha); err != nil {
		return Job{}, err
	}
	if err := j.review(in, in.Getenv("CI_DEFAULT_BRANCH")); err != nil {
		return Job{}, err
	}
	return j.run("schedule", lines(j.reading.policy.Schedule, Default().Schedule))
}

// protected refuses a pipeline of a branch or tag that anybody may push to: its
// jobs and their variables are what the pusher made of them.
func (j Job) protected(tip bool, in Input) error {
	switch {
	case tip:
		return nil
	case j.reading.tag == "":
		return hybridcore.Blockedf("%s is not the default branch: such pipelines run there, or for a protected tag",
			j.Ref)
	case in.Getenv("CI_COMMIT_REF_PROTECTED") != "true":
		return hybridcore.Blockedf("the tag %s is not protected, so that anybody who may push could have made it; "+
			"protect it in the project's settings", j.Ref)
	}
	return nil
}

func (j Job) mergeRequest(sha string, in Input) (Job, error) {
	env := in.Getenv
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
	if err := j.reviewBase(in, target); err != nil {
		return Job{}, err
	}
	from, to := env("CI_MERGE_REQUEST_SOURCE_PROJECT_ID"), env("CI_MERGE_REQUEST_PROJECT_ID")
	j.Trusted = from != "" && from == to && from == env("CI_PROJECT_ID")
	return j.run("merge request", lines(j.reading.policy.Change, Default().Change))
}

func (j Job) pushed(sha string, tip bool, in Input) (Job, error) {
	if err := j.pin(sha); err != nil {
		return Job{}, err
	}
	if j.reading.tag == "" && !tip {
		return j.nothing("%s is not the default branch; its merge request is what is planned", j.Ref)
	}
	if err := j.protected(tip, in); err != nil {
		return Job{}, err
	}
	if err := j.review(in, in.Getenv("CI_DEFAULT_BRANCH")); err != nil {
		return Job{}, err
	}
	if j.reading.tag != "" {
		return j.tagged()
	}
	return j.run("push to the default branch", lines(j.reading.policy.Merge, Default().Merge))
}
