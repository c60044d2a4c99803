// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:55:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package hybridcore

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestChanges compares facts: what was recorded, what is there, and what that means.
func TestChanges(t *testing.T) {
	t.Parallel()
	was := Fingerprint{Facts: map[string]string{
		"memory": "2048 MiB", "disk scsi0": "8 GiB", "identity": "one", "mark": "r1", "tag owner": "ops", "state": "complete",
		"replication a": "Completed", "replication b": "Completed",
	}}
	now := map[string]string{
		"memory": "512 MiB", "disk scsi1": "8 GiB", "identity": "two", "mark": "r1", "tag owner": "you", "state": "Failed",
		"replication a": "Failed",
	}
	var said []string
	for _, c := range was.Changes(now) {
		line := c.String()
		if c.Label() {
			line += " (label)"
		}
		if c.Half() {
			line += " (half)"
		}
		said = append(said, line)
	}
	want := []string{
		"disk scsi0: 8 GiB → none", "disk scsi1: none → 8 GiB", "memory: 2048 MiB → 512 MiB",
		"replication a: Completed → Failed (half)", "replication b: Completed → none",
		"state: complete → Failed (half)", "tag owner: ops → you (label)",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if len(was.Changes(was.Facts)) != 0 || was.Replaced(was.Facts) || !was.Replaced(now) ||
		was.Replaced(map[string]string{}) || (Fingerprint{}).Replaced(now) {
		t.Error("what is the same is another one, or the other way round")
	}
}

// TestMeaning says of changes whether they are labels, an offer, a lack or its end.
func TestMeaning(t *testing.T) {
	t.Parallel()
	for of, want := range map[FactChange]string{
		{"memory", "1", "2"}:                                  "",
		{"mark", "r1", NoFact}:                                "label",
		{FactName, "x", NoFact}:                               "label",
		{"tag artifact", "x", NoFact}:                         "label",
		{"state", "Failed", StateComplete}:                    "completed",
		{"state", StateComplete, "Failed"}:                    "half",
		{"state", StateComplete, NoFact}:                      "half",
		{"replication a", "Replicating", "Completed"}:         "completed",
		{"replication a", "Completed", "Replicating"}:         "half",
		{"replication a", "Failed", "Replicating"}:            "half",
		{"replication a", NoFact, "Replicating"}:              "offered",
		{"replication a", NoFact, "Completed"}:                "offered",
		{"replication a", NoFact, "Failed"}:                   "half",
		{"replication a", "Completed", NoFact}:                "",
		{"region a", NoFact, "1 copies"}:                      "offered",
		{"region a", "1 copies", "3 copies"}:                  "offered",
		{"region a", "1 copies", NoFact}:                      "",
		{FactExcluded, "false", "true"}:                       "offered",
		{FactEndOfLife, NoFact, "2030-01-02T00:00:00Z"}:       "offered",
		{FactDefinitionEnd, "2030-01-02T00:00:00Z", NoFact}:   "offered",
		{"source", "/subscriptions/a", "/subscriptions/b"}:    "",
		{"location", "westeurope", "northeurope"}:             "",
		{"disk system", "8 GiB", "9 GiB"}:                     "",
		{"feature SecurityType", "TrustedLaunch", "Anything"}: "",
	} {
		var said []string
		for word, is := range map[string]bool{
			"label": of.Label(), "offered": of.Offered(), "half": of.Half(), "completed": of.Completed(),
		} {
			if is {
				said = append(said, word)
			}
		}
		if got := strings.Join(said, ", "); got != want {
			t.Errorf("%s: %q, want %q", of, got, want)
		}
	}
}

// TestFingerprintOf finds the fingerprint of an object.
func TestFingerprintOf(t *testing.T) {
	t.Parallel()
	one, other := URI{Kind: "vm-template", ID: "1"}, URI{Kind: "vm-template", ID: "2"}
	a := &Artifact{Fingerprints: []Fingerprint{{Of: one, Facts: map[string]string{"memory": "1"}}}}
	if f := a.Fingerprint(one); f == nil || f.Facts["memory"] != "1" {
		t.Errorf("%+v", f)
	}
	if a.Fingerprint(other) != nil || (*Artifact)(nil).Fingerprint(one) != nil {
		t.Error("there is a fingerprint of what has none")
	}
}
