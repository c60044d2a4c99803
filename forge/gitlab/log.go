// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:03:00Z
// Spec: openspec/specs/ci/spec.md#requirement-gitlabs-files
// Diagram: openspec/specs/ci/diagram.md#out-of-the-job

package gitlab

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// log is the log of a job, in which GitLab's viewer looks for sections.
type log struct {
	to  io.Writer
	now func() time.Time
}

// Open begins a folded section. What its name may not hold becomes an underscore.
func (l log) Open(name, title string) error {
	return l.marker(fmt.Sprintf("section_start:%d:%s[collapsed=true]", l.now().Unix(), section(name)), ci.Shown(title))
}

// Close ends the section of that name.
func (l log) Close(name string) error {
	return l.marker(fmt.Sprintf("section_end:%d:%s", l.now().Unix(), section(name)), "")
}

// Foreign is a writer of lines of which none is a marker.
func (l log) Foreign() (io.WriteCloser, error) { return ci.NewLines(l.to), nil }

var sectionName = regexp.MustCompile(`[^a-z0-9_.-]`)

func section(name string) string {
	return sectionName.ReplaceAllString(strings.ToLower(ci.Shown(name)), "_")
}

// marker writes what GitLab's log viewer looks for, and a title after it.
func (l log) marker(text, title string) error {
	if _, err := io.WriteString(l.to, "\x1b[0K"+text+"\r\x1b[0K"+title+"\n"); err != nil {
		return fmt.Errorf("writing a section of the log: %w", err)
	}
	return nil
}
