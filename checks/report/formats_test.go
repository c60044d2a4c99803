// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:11:00Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-run-as-a-comment
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/checks/formats"
	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
)

// TestFormatsGolden has the findings of each report as other programs read them.
func TestFormatsGolden(t *testing.T) {
	for name, r := range report.Scenarios() {
		t.Run(name, func(t *testing.T) {
			var sarif, quality bytes.Buffer
			found := r.Findings()
			if err := errors.Join(formats.WriteSARIF(&sarif, r.Prefix, found, "1.2.3"),
				formats.WriteCodeQuality(&quality, r.Prefix, found)); err != nil {
				t.Fatal(err)
			}
			short := shortened(t, sarif.Bytes(), len(found), "runs", "0", "results")
			goldentest.Compare(t, name+".sarif", string(short))
			goldentest.Compare(t, name+".quality.json", string(shortened(t, quality.Bytes(), len(found))))
		})
	}
}

// shortened checks that the list at a path of a JSON document has n entries,
// and leaves three of them: a golden file is there to be read.
func shortened(t *testing.T, data []byte, n int, path ...string) []byte {
	t.Helper()
	var whole any
	if err := json.Unmarshal(data, &whole); err != nil {
		t.Fatal(err)
	}
	at, put := whole, func(list any) { whole = list }
	for _, step := range path {
		switch inner := at.(type) {
		case map[string]any:
			at, put = inner[step], func(list any) { inner[step] = list }
		case []any:
			at = inner[0]
		}
	}
	list, _ := at.([]any)
	if len(list) != n {
		t.Errorf("%d entries, want all %d findings", len(list), n)
	}
	if len(list) <= 3 {
		return data
	}
	put(append(list[:3:3], fmt.Sprintf("and %d more", len(list)-3)))
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(whole); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
