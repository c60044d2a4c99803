// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-one-package-for-the-ci-system
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

// Package ci is the CI system around a job. Read says what an event of GitHub
// Actions or GitLab CI asks for, as a function of one snapshot; GitHub and
// GitLab write the job's answer in that system's own files and log commands.
package ci

import (
	"fmt"
	"io"
	"os"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// PolicyCommit is the commit of the default branch whose project file counts for
// the job; of a change that of its base.
func (j Job) PolicyCommit() string {
	switch {
	case j.reading.decided != nil:
		return j.reading.decided.Policy
	case j.Unreviewed:
		return j.Base
	default:
		return j.reading.tip
	}
}

// Detect says which CI system a process runs in. It gives a UsageError when
// that is none, or both.
func Detect(getenv func(string) string) (System, error) {
	github, gitlab := getenv("GITHUB_ACTIONS") == "true", getenv("GITLAB_CI") == "true"
	switch {
	case github && gitlab:
		return "", hybridcore.Usagef(
			"both GITHUB_ACTIONS and GITLAB_CI are true: unset the one of the system that this job does not run in")
	case github:
		return GitHub, nil
	case gitlab:
		return GitLab, nil
	default:
		return "", hybridcore.Usagef(
			"this is no CI job: neither GITHUB_ACTIONS nor GITLAB_CI is true; at a terminal use the verbs plan, validate and " +
				"build")
	}
}

// Read says what the event of this job asks for. It gives a UsageError for an
// event that is not formed as it should be, and a BlockedError for one that
// must not be obeyed.
func Read(in Input) (Job, error) {
	system, err := Detect(in.Getenv)
	if err != nil {
		return Job{}, err
	}
	from := fromGitHub
	if system == GitLab {
		from = fromGitLab
	}
	job, err := from(in)
	if err != nil {
		return Job{}, fmt.Errorf("reading the event of this job: %w", err)
	}
	return job, nil
}

// ReadFile reads a whole regular file of at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the event: %w", err)
	case !info.Mode().IsRegular():
		return nil, hybridcore.Usagef("%.200q is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the event: %w", err)
	case int64(len(data)) > limit:
		return nil, hybridcore.Usagef("%.200q has more than %d bytes", path, limit)
	}
	return data, nil
}
