// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T02:02:00Z
// Spec: openspec/specs/sources/spec.md#requirement-checks-without-git
// Diagram: openspec/specs/sources/diagram.md#check-before-a-build

package process

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
)

// SourcesAnswer is the JSON answer of the verbs below sources.
type SourcesAnswer struct {
	FormatVersion int                  `json:"format_version"`
	Synced        []sources.Synced     `json:"synced,omitempty"`
	Sources       []sources.Status     `json:"sources,omitempty"`
	Locked        []string             `json:"locked,omitempty"`
	Findings      []hybridcore.Finding `json:"findings,omitempty"`
	Error         string               `json:"error,omitempty"`
}

// Synced prints what became of one source.
func (s Screen) Synced(r sources.Synced) {
	what, more := "unchanged", ""
	switch {
	case r.Error != "":
		what = "failed"
	case r.Fetched:
		what, more = "fetched", fmt.Sprintf("  %s in %.1fs", size(r.Bytes), r.Duration.Round(100*time.Millisecond).Seconds())
	}
	_, _ = fmt.Fprintf(s.Out, "%-9s  %-28s %-8s %.12s%s\n", what, r.Name, r.Tag, r.Commit, more)
}

// size is a number of bytes as people say it.
func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", (n+1023)>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// ReportSources prints the state of each source, and what is wrong with any.
func (s Screen) ReportSources(list []sources.Status, findings []hybridcore.Finding) error {
	if s.Output == "json" {
		return s.AnswerSources(SourcesAnswer{Sources: list, Findings: findings})
	}
	w := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "SOURCE\tSTATE\tTAG\tCOMMIT")
	for _, st := range list {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%.12s\n", st.Name, st.State, dash(st.Tag), dash(st.Want))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	var told []hybridcore.Finding
	for _, f := range findings {
		if f.Severity != hybridcore.Info {
			told = append(told, f)
		}
	}
	return checks.WriteFindings(s.Err, s.ErrStyle, told)
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// AnswerSources prints an answer as JSON.
func (s Screen) AnswerSources(answer SourcesAnswer) error {
	answer.FormatVersion = 1
	return s.Document(func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		if err := enc.Encode(answer); err != nil {
			return fmt.Errorf("encoding the answer: %w", err)
		}
		return nil
	})
}
