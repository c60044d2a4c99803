// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:53:03Z
// Spec: openspec/specs/state/spec.md#requirement-what-a-record-says-of-a-build
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package checks

import (
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// TestProvenance shows what records say of the checkout and the tools of a build.
func TestProvenance(t *testing.T) {
	id := strings.Repeat("ab", 20)
	tests := map[string]struct {
		of         *hybridcore.Provenance
		want, lack []string
	}{
		"an older record": {nil, nil, []string{"commit", "tools"}},
		"as committed": {
			&hybridcore.Provenance{
				Checkout: hybridcore.Checkout{Commit: id}, Sources: map[string]string{"packer-plugin-azure": id},
				Tools: []hybridcore.Tool{{Name: "packer", Version: "1.15.0"}, {Name: "plugin:github.com/a/b", Version: "1.0.0"}},
			},
			[]string{
				"commit   abababababab, which has all inputs", "tools    packer 1.15.0, github.com/a/b 1.0.0",
				"sources  packer-plugin-azure abababababab",
			},
			nil,
		},
		"not as committed": {
			&hybridcore.Provenance{Checkout: hybridcore.Checkout{Commit: id, Differs: []hybridcore.Uncommitted{
				{Input: "templates/a\x1b[2J", State: hybridcore.InputChanged, SHA256: id},
				{Input: "templates/b", State: hybridcore.InputRemoved},
			}}},
			[]string{
				"which has not 2 of the inputs", "changed  templates/a  sha256 abababababab",
				"removed  templates/b  sha256 -",
			},
			[]string{"\x1b", "all inputs"},
		},
		"not looked at": {
			&hybridcore.Provenance{Checkout: hybridcore.Checkout{Unknown: "there is no repository"}},
			[]string{"none: the inputs were not compared with it, because there is no repository"},
			[]string{"all inputs"},
		},
	}
	for name, tt := range tests {
		var out strings.Builder
		rec := hybridcore.Record{Results: []hybridcore.Result{{
			Target: "debian-12@vsphere", Status: hybridcore.Built, Provenance: tt.of,
		}}}
		if err := WriteRecord(&out, Style{}, rec, ""); err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is not in\n%s", name, want, out.String())
			}
		}
		for _, lack := range tt.lack {
			if strings.Contains(out.String(), lack) {
				t.Errorf("%s: %q is in\n%s", name, lack, out.String())
			}
		}
	}
}
