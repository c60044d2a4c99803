// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:31:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-marks-of-a-release
// Diagram: openspec/specs/platforms/diagram.md#mark

package hybridcore

import "testing"

func TestMarkKeepsNotes(t *testing.T) {
	t.Parallel()
	m := Mark{Release: "v1.0", Image: "debian-12", RunID: "r1"}
	const line = "packer-hybrid release v1.0: debian-12, run r1\n"
	for _, tt := range []struct{ notes, want string }{
		{"", line},
		{"mine", "mine\n" + line},
		{"mine\r\n", "mine\r\n" + line},
		{line, line},
		{"a\n  " + line + "\n\nb", "a\n  " + line + "\n\nb"},
		{"packer-hybrid release v1.0.1: x", "packer-hybrid release v1.0.1: x\n" + line},
		{"said: packer-hybrid release v1.0: x", "said: packer-hybrid release v1.0: x\n" + line},
	} {
		if got, err := m.AddTo(tt.notes); got != tt.want || err != nil {
			t.Errorf("%q: %q, %v", tt.notes, got, err)
		}
	}
	if got, err := m.AddTo("packer-hybrid release v1.0: debian-12, run r2"); got != "" || ExitCode(err) != ExitBlocked {
		t.Errorf("another build: %q, %v", got, err)
	}
}

func FuzzMark(f *testing.F) {
	f.Add("a\nb\r\n")
	f.Fuzz(func(t *testing.T, notes string) {
		m := Mark{Release: "v1.0", Image: "debian-12", RunID: "r1", Commit: "c"}
		once, err := m.AddTo(notes)
		if err != nil {
			return
		}
		if twice, err := m.AddTo(once); twice != once || err != nil || len(once) < len(notes) || once[:len(notes)] != notes {
			t.Errorf("%q: %q, then %q, %v", notes, once, twice, err)
		}
	})
}
