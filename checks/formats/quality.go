// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:08:45Z
// Spec: openspec/specs/reports/spec.md#requirement-reports-that-gitlab-reads
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package formats

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// projectFile is where a finding without a file is shown: GitLab drops what has
// no place.
const projectFile = "packer-hybrid.hcl"

// quality is one entry of a Code Quality report, the part of Code Climate's
// format that GitLab reads.
type quality struct {
	Description string   `json:"description"`
	CheckName   string   `json:"check_name"`
	Fingerprint string   `json:"fingerprint"`
	Severity    string   `json:"severity"`
	Location    location `json:"location"`
}

type location struct {
	Path  string `json:"path"`
	Lines struct {
		Begin int `json:"begin"`
	} `json:"lines"`
}

// WriteCodeQuality writes findings as GitLab's Code Quality report, all of
// them. root is the project's folder in the repository, empty for its top.
func WriteCodeQuality(w io.Writer, root string, findings []hybridcore.Finding) error {
	all := make([]quality, 0, len(findings))
	seen := map[string]int{}
	for _, f := range findings {
		q := quality{Description: text.InJobLog(f.Message), CheckName: text.InJobLog(f.Rule), Severity: qualitySeverity(f)}
		if f.Hint != "" {
			q.Description += " (" + text.InJobLog(f.Hint) + ")"
		}
		if q.CheckName == "" {
			q.CheckName = text.InJobLog(f.Kind)
		}
		file := f.File
		if file == "" {
			file = projectFile
		}
		q.Location.Path, q.Location.Lines.Begin = text.InJobLog(path.Join(root, file)), max(f.Line, 1)
		// The line is no part of it, so that a finding that moves is the same; the
		// same finding once more in a file is told apart by its number.
		key := strings.Join([]string{f.Kind, f.Rule, f.Subject, file, f.Message}, "\x00")
		seen[key]++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", key, seen[key]))
		q.Fingerprint = hex.EncodeToString(sum[:])
		all = append(all, q)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("writing the Code Quality report: %w", err)
	}
	return nil
}

func qualitySeverity(f hybridcore.Finding) string {
	switch {
	case f.Blocking:
		return "blocker"
	case f.Severity == hybridcore.Error:
		return "critical"
	case f.Severity == hybridcore.Warning:
		return "minor"
	default:
		return "info"
	}
}
