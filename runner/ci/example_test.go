// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:19:50Z
// Spec: openspec/specs/ci/spec.md#requirement-one-package-for-the-ci-system
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci_test

import (
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// A verb reads its job, does the requests one after the other, and reports.
func ExampleRead() {
	environ := map[string]string{
		"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "push", "CI_PROJECT_PATH": "acme/images", "CI_COMMIT_BRANCH": "main",
		"CI_DEFAULT_BRANCH": "main", "CI_COMMIT_SHA": "1111111111111111111111111111111111111111",
	}
	job, err := ci.Read(ci.Input{
		Getenv:   func(name string) string { return environ[name] },
		ReadFile: ci.ReadFile,
		Repo: ci.Repository{ // in a job: git's answers
			Tip:      func(string) (string, error) { return environ["CI_COMMIT_SHA"], nil },
			Policy:   func(string) (ci.Policy, error) { return ci.Policy{Merge: []string{"build --env prod"}}, nil },
			Contains: func(tip, commit string) (bool, error) { return tip == commit, nil },
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if job.Nothing != "" {
		fmt.Println("nothing to do:", job.Nothing)
	}
	for _, req := range job.Requests {
		fmt.Println(req.Action, req.Env, "at", req.Heads[0][:8])
	}
	// Output: build prod at 11111111
}
