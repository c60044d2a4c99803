// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:57:20Z
// Spec: openspec/specs/ci/spec.md#requirement-gitlabs-files
// Diagram: openspec/specs/ci/diagram.md#out-of-the-job

package ci

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Limits of artifacts:reports:dotenv as GitLab has them by default; an
// administrator may raise them.
const (
	MaxDotenv          = 5 << 10
	MaxDotenvVariables = 20
)

// Dotenv renders variables for later jobs, sorted by name. Their names begin
// with PACKER_HYBRID_.
func Dotenv(variables map[string]string) (string, error) {
	if len(variables) > MaxDotenvVariables {
		return "", fmt.Errorf("there are %d variables for later jobs; GitLab takes %d", len(variables), MaxDotenvVariables)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		value := variables[name]
		switch {
		case !envName.MatchString(name):
			return "", fmt.Errorf("the variable %.80q is not one of ours: their names begin with PACKER_HYBRID_", name)
		case value != hybridcore.Sanitize(value) || strings.ContainsAny(value, "\n\t"):
			return "", fmt.Errorf("the variable %s holds a line break or another control character, which dotenv cannot carry",
				name)
		case value != strings.TrimSpace(value):
			return "", fmt.Errorf("the variable %s begins or ends with a blank, which GitLab cuts off", name)
		case strings.ContainsAny(value, `$"'`):
			return "", fmt.Errorf("the variable %s holds a quote or a dollar sign, which GitLab may expand", name)
		}
		b.WriteString(name + "=" + value + "\n")
	}
	if b.Len() > MaxDotenv {
		return "", fmt.Errorf("the variables for later jobs have %d bytes; GitLab takes %d", b.Len(), MaxDotenv)
	}
	return b.String(), nil
}

var sectionName = regexp.MustCompile(`[^a-z0-9_.-]`)

// SectionStart begins a folded section of a GitLab job's log. What its name may
// not hold becomes an underscore.
func SectionStart(w io.Writer, name, title string, at time.Time) error {
	return marker(w, fmt.Sprintf("section_start:%d:%s[collapsed=true]", at.Unix(), section(name)), shown(title))
}

// SectionEnd ends the section of that name.
func SectionEnd(w io.Writer, name string, at time.Time) error {
	return marker(w, fmt.Sprintf("section_end:%d:%s", at.Unix(), section(name)), "")
}

func section(name string) string {
	return sectionName.ReplaceAllString(strings.ToLower(shown(name)), "_")
}

// marker writes what GitLab's log viewer looks for, and a title after it.
func marker(w io.Writer, text, title string) error {
	if _, err := io.WriteString(w, "\x1b[0K"+text+"\r\x1b[0K"+title+"\n"); err != nil {
		return fmt.Errorf("writing a section of the log: %w", err)
	}
	return nil
}
