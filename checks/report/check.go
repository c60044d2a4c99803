// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:55:00Z
// Spec: openspec/specs/reports/spec.md#requirement-checks-of-a-run
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package report

import "time"

// States and conclusions of a check, in GitHub's words.
const (
	CheckQueued    = "queued"
	CheckRunning   = "in_progress"
	CheckCompleted = "completed"

	Success       = "success"
	Failure       = "failure"
	CancelledDone = "cancelled"
)

// Levels of an annotation, in GitHub's words.
const (
	LevelNotice  = "notice"
	LevelWarning = "warning"
	LevelFailure = "failure"
)

// Check is the state of one check-run: of a target, or of the run as a whole.
type Check struct {
	// Key is unique in one run: IMAGE@PLATFORM, or empty for the run as a whole.
	Key        string    `json:"key"`
	Name       string    `json:"name"`                 // that branch protection and people see
	Status     string    `json:"status"`               // queued, in_progress or completed
	Conclusion string    `json:"conclusion,omitempty"` // of a completed one
	Title      string    `json:"title"`
	Summary    string    `json:"summary"` // Markdown
	Text       string    `json:"text,omitempty"`
	Started    time.Time `json:"started,omitzero"`
	Completed  time.Time `json:"completed,omitzero"`
	// Annotations are complete when the check is completed, and none before.
	Annotations []Annotation `json:"annotations,omitempty"`
}

// Annotation is a finding at a line of a file of the change.
type Annotation struct {
	Path    string `json:"path"` // relative to the repository
	Line    int    `json:"line"` // 1-based
	Level   string `json:"level"`
	Title   string `json:"title,omitempty"`
	Message string `json:"message"`
}
