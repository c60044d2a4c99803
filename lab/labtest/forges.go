// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T12:55:00Z
// Spec: openspec/specs/lab-github/spec.md#requirement-githubs-own-description
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package labtest

import (
	"testing"

	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/gitlab"
)

// GitHub is a simulated GitHub for the length of a test. The test fails when a
// call was against GitHub's own description.
func GitHub(tb testing.TB, config github.Config) *github.Server {
	tb.Helper()
	s, err := github.Start(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		for _, v := range s.Violations() {
			tb.Error("GitHub's description: ", v)
		}
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// GitLab is a simulated GitLab for the length of a test. The test fails when a
// call was against GitLab's reference, or GitLab obeyed a quick action of a note.
func GitLab(tb testing.TB, config gitlab.Config) *gitlab.Server {
	tb.Helper()
	s, err := gitlab.Start(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		for _, v := range append(s.Violations(), s.Obeyed()...) {
			tb.Error("GitLab's reference: ", v)
		}
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}
