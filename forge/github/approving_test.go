// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:38:11Z
// Spec: openspec/specs/ci/spec.md#requirement-reviewed-commits
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package github_test

import (
	"fmt"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/forge/github"
)

func TestApproving(t *testing.T) {
	t.Parallel()
	if got := github.Approving([]github.Review{{State: "APPROVED"}, {User: 1, State: "APPROVED"}}, ""); len(got) > 0 {
		t.Errorf("of no commit, or nobody: %v", got)
	}
	got := github.Approving([]github.Review{
		{User: 1, Login: "a", State: "APPROVED", Commit: shaHead},
		{User: 2, Login: "b", State: "APPROVED", Commit: shaHead},
		{User: 1, Login: "a", State: "APPROVED", Commit: shaHead},
		{User: 3, Login: "c", State: "APPROVED", Commit: shaHead},
	}, shaHead, 3)
	if len(got) != 2 || got[0].Login != "b" || got[1].Login != "a" {
		t.Errorf("%v", got)
	}
}

// FuzzApproving holds approvals to what they are for: the last word of another
// person about just this commit.
func FuzzApproving(f *testing.F) {
	f.Add([]byte{1, 0, 1, 2, 1, 0}, byte(1))
	f.Fuzz(func(t *testing.T, data []byte, asker byte) {
		states := []string{"APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING", "approved", ""}
		var all []github.Review
		for i := 0; i+2 < len(data); i += 3 {
			all = append(all, github.Review{
				User: int64(data[i] % 8), Login: fmt.Sprint(data[i]), State: states[int(data[i+1])%len(states)],
				Commit: []string{shaHead, shaOther, ""}[data[i+2]%3],
			})
		}
		for _, found := range github.Approving(all, shaHead, int64(asker%8)) {
			last := github.Review{}
			for _, r := range all {
				if r.User == found.User && r.State != "COMMENTED" && r.State != "PENDING" {
					last = r
				}
			}
			if found.User == 0 || found.User == int64(asker%8) || last.State != "APPROVED" || last.Commit != shaHead {
				t.Errorf("%+v approves, and the last word was %+v", found, last)
			}
		}
	})
}
