// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:13:00Z
// Spec: openspec/specs/reports/spec.md#requirement-findings-for-code-scanning
// Diagram: openspec/specs/reports/diagram.md#values-to-text

// Package formats renders findings and results in the formats of other programs:
// SARIF, JUnit, and the Code Quality reports of GitLab.
package formats

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// placed is a finding with its place in the repository and its fingerprint.
type placed struct {
	hybridcore.Finding

	path        string
	line        int
	rule        string
	text        string
	fingerprint string // hex
}

// place finds the place of each finding. root is the project's folder in the
// repository. The n-th of equal findings has a fingerprint of its own.
func place(root string, findings []hybridcore.Finding) []placed {
	seen := map[string]int{}
	all := make([]placed, 0, len(findings))
	for _, f := range findings {
		p := placed{Finding: f, path: text.InJobLog(path.Join(root, f.File)), line: max(f.Line, 1), rule: f.Rule}
		if text.InJobLog(f.File) == "" || path.IsAbs(f.File) || !fs.ValidPath(p.path) || p.path == "." {
			p.path, p.line = text.InJobLog(path.Join(root, projectFile)), 1
		}
		if p.rule == "" {
			p.rule = f.Kind
		}
		p.rule = report.Clip(text.InJobLog(p.rule), report.MaxTitle)
		p.text = report.Clip(text.Sanitize(f.Message), report.MaxMessage)
		if f.Hint != "" {
			p.text += "\n" + report.Clip(text.Sanitize(f.Hint), report.MaxMessage)
		}
		key := fmt.Sprintf("%q %q %q %q", p.rule, p.path, f.Subject, f.Message)
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", key, seen[key]))
		seen[key]++
		p.fingerprint = hex.EncodeToString(sum[:16])
		all = append(all, p)
	}
	return all
}

// WriteSARIF writes findings as SARIF 2.1.0, all of them; GitHub shows the first
// 5,000. root is the project's folder in the repository, empty for its top.
func WriteSARIF(w io.Writer, root string, findings []hybridcore.Finding, version string) error {
	type object = map[string]any
	results, rules, known := []object{}, []object{}, map[string]int{}
	for _, p := range place(root, findings) {
		if _, seen := known[p.rule]; !seen {
			known[p.rule] = len(rules)
			rules = append(rules, object{"id": p.rule, "shortDescription": object{"text": p.rule}})
		}
		results = append(results, object{
			"ruleId": p.rule, "ruleIndex": known[p.rule], "level": sarifLevel(p.Severity), "message": object{"text": p.text},
			"partialFingerprints": object{"packerHybrid/v1": p.fingerprint},
			"locations": []object{{"physicalLocation": object{
				"artifactLocation": object{"uri": (&url.URL{Path: p.path}).String(), "uriBaseId": "%SRCROOT%"},
				"region":           object{"startLine": p.line},
			}}},
		})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err := enc.Encode(object{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": []object{{
			"tool":    object{"driver": object{"name": "packer-hybrid", "version": version, "rules": rules}},
			"results": results, "columnKind": "unicodeCodePoints",
		}},
	})
	if err != nil {
		return fmt.Errorf("encoding SARIF: %w", err)
	}
	return nil
}

func sarifLevel(s hybridcore.Severity) string {
	switch s {
	case hybridcore.Error:
		return "error"
	case hybridcore.Warning:
		return "warning"
	default:
		return "note"
	}
}
