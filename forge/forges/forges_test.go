// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/repository/spec.md#requirement-forges
// Diagram: openspec/specs/repository/diagram.md#layers

package forges_test

import (
	"testing"

	"github.com/packer-hybrid/packer-hybrid/forge/forges"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  map[string]string
		want string
		code int
	}{
		"github":  {map[string]string{"GITHUB_ACTIONS": "true"}, "github", 0},
		"gitlab":  {map[string]string{"GITLAB_CI": "true"}, "gitlab", 0},
		"neither": {map[string]string{"CI": "true"}, "", 2},
		"both":    {map[string]string{"GITHUB_ACTIONS": "true", "GITLAB_CI": "true"}, "", 2},
	} {
		got, err := forges.Detect(func(key string) string { return c.env[key] })
		if got.Name != c.want || hybridcore.ExitCode(err) != c.code {
			t.Errorf("%s: %q, error %v", name, got.Name, err)
		}
	}
}

// TestRows holds the rows of the table to what every forge needs.
func TestRows(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range forges.All() {
		for _, word := range []string{f.Name, f.Title, f.Prefix, f.Jobs.Sign, f.Jobs.Workspace} {
			if word == "" || seen[word] {
				t.Errorf("%s: %q is empty, or another forge's", f.Name, word)
			}
			seen[word] = true
		}
		if f.Jobs.Event == nil || f.Jobs.Place == nil || (f.Reports.Access == nil) != (f.Reports.Address == nil) {
			t.Errorf("%s lacks its events, or an address of its reports", f.Name)
		}
		if named, ok := forges.Named(f.Name); !ok || named.Title != f.Title {
			t.Errorf("%s is not found", f.Name)
		}
	}
}
