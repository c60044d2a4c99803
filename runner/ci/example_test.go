// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:19:50Z
// Spec: openspec/specs/ci/spec.md#requirement-one-package-for-the-ci-system
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci_test

import (
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// A forge says what happened, and Read what follows of it.
func ExampleRead() {
	const commit = "1111111111111111111111111111111111111111"
	job, err := ci.Read(ci.Input{
		Repo: ci.Repository{ // in a job: git's answers
			Tip:      func(string) (string, error) { return commit, nil },
			Policy:   func(string) (ci.Policy, error) { return ci.Policy{Merge: []string{"build --env prod"}}, nil },
			Contains: func(tip, commit string) (bool, error) { return tip == commit, nil },
		},
	}, ci.Event{
		Place: ci.Place{Repository: "acme/images", Event: "push"},
		Kind:  ci.KindMerge, Commits: []string{commit}, Branch: "main",
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
