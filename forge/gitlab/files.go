// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:57:20Z
// Spec: openspec/specs/ci/spec.md#requirement-gitlabs-files
// Diagram: openspec/specs/ci/diagram.md#out-of-the-job

package gitlab

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks/formats"
	"github.com/packer-hybrid/packer-hybrid/forge"
	foreign "github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Limits of artifacts:reports:dotenv as GitLab has them by default; an
// administrator may raise them.
const (
	maxDotenv          = 5 << 10
	maxDotenvVariables = 20
)

// Dotenv renders variables for later jobs, sorted by name. Their names begin
// with PACKER_HYBRID_.
func Dotenv(variables map[string]string) (string, error) {
	if len(variables) > maxDotenvVariables {
		return "", fmt.Errorf("there are %d variables for later jobs; GitLab takes %d", len(variables), maxDotenvVariables)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		value := variables[name]
		switch {
		case !envName.MatchString(name):
			return "", fmt.Errorf("the variable %.80q is not one of ours: their names begin with PACKER_HYBRID_", name)
		case value != foreign.Sanitize(value) || strings.ContainsAny(value, "\n\t"):
			return "", fmt.Errorf("the variable %s holds a line break or another control character, which dotenv cannot carry",
				name)
		case value != strings.TrimSpace(value):
			return "", fmt.Errorf("the variable %s begins or ends with a blank, which GitLab cuts off", name)
		case strings.ContainsAny(value, `$"'`):
			return "", fmt.Errorf("the variable %s holds a quote or a dollar sign, which GitLab may expand", name)
		}
		b.WriteString(name + "=" + value + "\n")
	}
	if b.Len() > maxDotenv {
		return "", fmt.Errorf("the variables for later jobs have %d bytes; GitLab takes %d", b.Len(), maxDotenv)
	}
	return b.String(), nil
}

// envName holds names that no other program reads.
var envName = regexp.MustCompile(`^PACKER_HYBRID_[A-Z0-9_]{1,80}$`)

// files are those that GitLab reads of a job.
func files(r forge.Results) []forge.File {
	all := []forge.File{{Name: "gl-code-quality-report.json", Write: func(w io.Writer) error {
		return formats.WriteCodeQuality(w, r.Prefix, r.Findings)
	}}}
	if len(r.Records) > 0 {
		all = append(all, forge.File{Name: "junit.xml", Write: func(w io.Writer) error {
			return formats.WriteJUnit(w, r.Records...)
		}})
	}
	if r.Shared != "" {
		all = append(all, forge.File{Name: "pipeline.yml", Write: text(r.Shared)})
	}
	variables := map[string]string{}
	for name, file := range r.Paths {
		variables["PACKER_HYBRID_"+strings.ToUpper(name)] = file
	}
	return append(all, forge.File{Name: "packer-hybrid.env", Write: func(w io.Writer) error {
		lines, err := Dotenv(variables)
		if err != nil {
			return err
		}
		return text(lines)(w)
	}})
}

// text writes a text.
func text(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err //nolint:wrapcheck // who makes the file names it
	}
}
