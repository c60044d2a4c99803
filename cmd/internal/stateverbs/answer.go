// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:15:58Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs-of-a-state
// Diagram: openspec/specs/cli/diagram.md#one-command

package stateverbs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/transfer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
)

// answer is the JSON answer of the verbs below state.
type answer struct {
	FormatVersion int                  `json:"format_version"`
	Objects       map[state.Kind]int   `json:"objects,omitempty"` // that were checked
	Copied        *transfer.Copied     `json:"copied,omitempty"`
	Pushed        *transfer.Pushed     `json:"pushed,omitempty"`
	Findings      []hybridcore.Finding `json:"findings,omitempty"`
}

// counting tells in a line every few seconds how far a long work is.
func counting(s process.Screen) transfer.Progress {
	const pause = 5 * time.Second
	last := time.Now()
	return func(doing string, done, all int) {
		if now := time.Now(); now.Sub(last) >= pause {
			last = now
			_, _ = fmt.Fprintf(s.Err, "%s %d of %d objects\n", doing, done, all)
		}
	}
}

// show prints what came of it.
func show(s process.Screen, a answer, failure error) error {
	if _, told := errors.AsType[hybridcore.Exit](failure); failure != nil && !told {
		return failure
	}
	var err error
	if s.Output == "json" {
		a.FormatVersion = 1
		err = s.Document(func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetIndent("", "  ")
			return enc.Encode(a)
		})
	} else {
		err = showText(s, a)
	}
	switch {
	case err != nil:
		return fmt.Errorf("writing the answer: %w", err)
	case failure == nil && hybridcore.Blocked(a.Findings) != hybridcore.NotBlocked:
		return hybridcore.Exit(hybridcore.ExitBlocked)
	}
	return failure
}

// showText prints an answer for people.
func showText(s process.Screen, a answer) error {
	var out strings.Builder
	if c := a.Copied; c != nil {
		fmt.Fprintf(&out, "%d of %d objects copied", c.Put, c.Objects)
		if c.Put < c.Objects {
			out.WriteString("; the others were there")
		}
		if c.Verified {
			out.WriteString("; all are there, and the same; the source stays as it is")
		}
		out.WriteByte('\n')
		list(&out, "left, since it is no object", c.Skipped)
	}
	if p := a.Pushed; p != nil {
		list(&out, "put", p.Put)
		list(&out, "put as the next number", p.Repaired)
		list(&out, "another one is there, which stays", p.Kept)
		list(&out, "cannot be used, and was not put", p.Refused)
		fmt.Fprintf(&out, "%d put, %d there already\n", len(p.Put)+len(p.Repaired), p.There)
	}
	if a.Copied == nil && a.Pushed == nil {
		counts := []string{"0 objects"}
		if len(a.Objects) > 0 {
			counts = nil
		}
		for _, kind := range slices.Sorted(maps.Keys(a.Objects)) {
			counts = append(counts, fmt.Sprintf("%d %s", a.Objects[kind], kind))
		}
		fmt.Fprintf(&out, "%s checked; %d findings\n", strings.Join(counts, ", "), len(a.Findings))
	}
	return errors.Join(checks.WriteFindings(s.Err, s.ErrStyle, a.Findings), write(s.Out, out.String()))
}

func write(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err //nolint:wrapcheck // the caller says what was written
}

func list(out *strings.Builder, what string, names []string) {
	for _, name := range names {
		fmt.Fprintf(out, "%s: %s\n", what, text.InJobLog(name))
	}
}
