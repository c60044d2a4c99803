// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:00:55Z
// Spec: openspec/specs/bot/spec.md#requirement-the-answer-of-a-run
// Diagram: openspec/specs/bot/diagram.md#the-answer-of-a-run

package cirun

import (
	"fmt"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Answered is the status of a command that only asks.
const Answered hybridcore.Status = "answered"

// Bounds of an outcome; texts are in characters. A message of Slack shows all of it.
const (
	MaxRows = 20 // × 5 cells of MaxCell stay below the limit of Slack's tables
	MaxCell = 90
	MaxWhy  = 500
	MaxTail = 40 // lines
)

// Outcome is how a job ended.
type Outcome struct {
	Status  hybridcore.Status `json:"status"`
	Why     string            `json:"why,omitempty"`     // one sentence, sanitised
	Title   string            `json:"title,omitempty"`   // of the answer to a command that only asks
	Targets []Target          `json:"targets,omitempty"` // as last seen
	More    int               `json:"more,omitempty"`    // targets that are left out
	Grid    *Grid             `json:"grid,omitempty"`    // the answer, where it is no table of targets
	Notes   []string          `json:"notes,omitempty"`   // what is to be said beside it
	Unsaid  int               `json:"unsaid,omitempty"`  // notes that are left out
	Tail    []string          `json:"tail,omitempty"`    // last lines of a failure, redacted and sanitised
	At      time.Time         `json:"at"`
}

// Target is one row of a run's table.
type Target struct {
	Name     string        `json:"name"`   // IMAGE@PLATFORM
	Status   string        `json:"status"` // queued, running, or a hybridcore.Status
	Step     string        `json:"step,omitempty"`
	Duration time.Duration `json:"duration_ns,omitempty"`
	Artifact string        `json:"artifact,omitempty"`
	Parity   string        `json:"parity,omitempty"`
}

// Grid is the table of an answer that is none of targets that were built: at most MaxRows of its rows.
type Grid struct {
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
	More    int        `json:"more,omitempty"` // rows that are left out
}

// Failure is the outcome of a job that failed before its run could tell why.
func Failure(why string) Outcome {
	return Outcome{Status: hybridcore.Failed, Why: text.Cut(text.Sanitize(why), MaxWhy)}
}

// Cell is a text that fits a table, on one line.
func Cell(said string) string { return text.Cut(text.Line(said), MaxCell) }

// Ended is the status of a run that only tells its exit code.
func Ended(code int) hybridcore.Status {
	switch code {
	case hybridcore.ExitOK, hybridcore.ExitChanges:
		return Answered
	case hybridcore.ExitCancelled:
		return hybridcore.Cancelled
	case hybridcore.ExitBlocked:
		return hybridcore.BlockedStatus
	}
	return hybridcore.Failed
}

// add appends a row.
func (g *Grid) add(cells ...string) {
	if len(g.Rows) == MaxRows {
		g.More++
		return
	}
	for i, cell := range cells {
		cells[i] = Cell(cell)
	}
	g.Rows = append(g.Rows, cells)
}

// note adds what is to be said beside the table. The last one says how many more there are.
func (o *Outcome) note(format string, args ...any) {
	const most = 10
	if len(o.Notes) == most {
		o.Unsaid++
		return
	}
	o.Notes = append(o.Notes, text.Cut(text.Line(fmt.Sprintf(format, args...)), MaxWhy))
}
