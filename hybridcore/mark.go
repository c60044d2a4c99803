// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:20:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-marks-of-a-release
// Diagram: openspec/specs/platforms/diagram.md#mark

package hybridcore

import "strings"

// Mark says on a platform that an object belongs to a release. It is the same
// text whenever it is made, so that it can be made again.
type Mark struct {
	Release string // name
	Image   string
	RunID   string // of the build
	Commit  string // that was built; may be empty
}

// Text is what the mark says, on one line.
func (m Mark) Text() string {
	text := m.Image + ", run " + m.RunID
	if m.Commit != "" {
		text += ", commit " + m.Commit
	}
	return text
}

// Tag is the mark in one word of a-z, 0-9, '.', '_' and '-'.
func (m Mark) Tag() string { return "release-" + m.Release }

// AddTo adds the mark to notes as a line of its own, and keeps all that is
// there. Notes that have it come back as they are. A BlockedError is for notes
// in which this release is of another build.
func (m Mark) AddTo(notes string) (string, error) {
	before := "packer-hybrid release " + m.Release + ": "
	for line := range strings.SplitSeq(notes, "\n") {
		said, ours := strings.CutPrefix(strings.TrimSpace(line), before)
		switch {
		case !ours:
		case said == m.Text():
			return notes, nil
		default:
			return "", m.Conflict(said)
		}
	}
	if notes != "" && !strings.HasSuffix(notes, "\n") {
		notes += "\n"
	}
	return notes + before + m.Text() + "\n", nil
}

// Conflict is the BlockedError for an object on which this release is said to be
// of another build.
func (m Mark) Conflict(said string) error {
	return Blockedf("it is marked as release %s of another build already: %.200q; remove that mark by hand if it is "+
		"wrong, or choose another name", m.Release, said)
}
