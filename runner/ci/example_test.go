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
		Policy:   ci.Policy{Merge: []string{"build --env prod"}, DefaultEnv: "lab", Prod: []string{"prod"}},
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
