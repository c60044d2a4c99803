// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:14:00Z
// Spec: openspec/specs/ci/spec.md#requirement-reports-of-a-job
// Diagram: openspec/specs/ci/diagram.md#the-verb

package job

import (
	"cmp"
	"path/filepath"
	"strconv"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
)

// tokenless says what a job without a token leaves out.
var tokenless = map[ci.System]string{
	ci.GitHub: "no check-runs and no comment: GITHUB_TOKEN is not set",
	ci.GitLab: "no commit statuses and no note: GITLAB_TOKEN is not set; it has to be a project access token with the " +
		"scope api and the role Developer, " +
		"for protected branches Maintainer, since CI_JOB_TOKEN can write neither",
}

// access is how the system of the job is reached.
func (j *job) access() post.Access {
	if j.System == ci.GitLab {
		return j.host.gitlabAccess()
	}
	return j.host.access()
}

// poster reports to the system of the job: nil without a token. The outbox is
// where no checkout reaches it.
func (j *job) poster(slot string) *post.Poster {
	access := j.access()
	if access.Token == "" {
		return nil
	}
	address := j.address()
	address.Run, address.Slot = hybridcore.NewRunID(time.Now()), slot
	dir, err := j.host.Process.MakeJobDir(j.project.Root)
	if err != nil {
		j.try(access.System.String(), err)
		return nil
	}
	options := append(j.host.Posting, post.WithRedaction(j.host.Process.Redactor.String), post.WithLog(j.host.faulty))
	p, err := post.New(filepath.Join(process.Outboxes(dir), address.Run), address, access, options...)
	if err != nil {
		j.try(access.System.String(), err)
		return nil
	}
	return p
}

// address is where the job's reports go.
func (j *job) address() post.Address {
	env, origin := j.host.Process.Getenv, j.Origin()
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(env(name), 10, 64) // 0 where the runner does not say
		return n
	}
	change, _ := strconv.Atoi(origin.Change) // 0 for no change
	a := post.Address{Repository: j.Repository, Change: change, URL: origin.URL}
	if j.System == ci.GitLab {
		a.Commit, a.Number, a.Attempt = cmp.Or(j.Commit, env("CI_COMMIT_SHA")), number("CI_PIPELINE_ID"), number("CI_JOB_ID")
		if sha := env("CI_COMMIT_SHA"); sha != a.Commit { // merged results
			a.Pipelined = sha
		}
		return a
	}
	a.Login = env("PACKER_HYBRID_LOGIN")
	a.Commit, a.Number, a.Attempt = cmp.Or(j.Commit,
		env("GITHUB_SHA")), number("GITHUB_RUN_ID"), number("GITHUB_RUN_ATTEMPT")
	return a
}
