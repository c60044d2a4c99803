// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:22:00Z
// Spec: openspec/specs/posting/spec.md#requirement-one-issue
// Diagram: openspec/specs/posting/diagram.md#the-issue-of-a-repository

package post

// Issue is how the one issue of a slot is to be, beside its text.
type Issue struct {
	Title string `json:"title"` // when it is made; people may give it another one
	// Open says that there is something to be said; a closed one is opened again. Else it is
	// closed, and none is made for that.
	Open bool `json:"open"`
}

// issueKey is the key of the issue's item.
const issueKey = "issue"

// SecondIssue is the text of an issue that is one too many. It has no marker, so that nobody
// finds it again.
const SecondIssue = "Two runs made an issue at once. The older one is kept up to date, and this one is not.\n"
