// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:12:00Z
// Spec: openspec/specs/runner/spec.md#requirement-what-is-current-is-looked-at
// Diagram: openspec/specs/runner/diagram.md#a-look-at-the-platforms

package hybridcore

import "time"

// Presence says whether an artifact is on its platform.
type Presence string

// What a look at a platform comes to.
const (
	There     Presence = "there"      // all that was recorded of it is there
	Changed   Presence = "changed"    // it is there, and not as it was recorded
	Gone      Presence = "gone"       // something that was recorded of it is not there any more
	NotLooked Presence = "not-looked" // the platform could not be asked
)

// Look is what a platform said of an artifact that the state has as current.
type Look struct {
	At       time.Time `json:"at"`
	Presence Presence  `json:"presence"`
	Text     string    `json:"text,omitempty"` // what is gone or changed, or why nobody looked; one sentence
	// Findings say the same, by rule; none when all is as it was recorded.
	Findings []Finding `json:"findings,omitempty"`
}
