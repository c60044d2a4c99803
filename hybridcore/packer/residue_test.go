// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:00:00Z
// Spec: openspec/specs/packer/spec.md#requirement-residue-of-the-build
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package packer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
)

const (
	foundLine = `residue: {"kind": "host-key", "path": "/etc/ssh/ssh_host_rsa_key", "role": "clean", "severity": "error", "what": "an SSH host key"}`
	cacheLine = `residue: {"kind": "cache", "path": "/var/cache/apt/x.bin", "role": "clean", "severity": "warning", "what": "a package cache"}`
)

func TestResidueLines(t *testing.T) {
	t.Parallel()
	var r output.Residue
	for _, line := range []string{
		foundLine, "  " + cacheLine, "residue: not JSON", "residue: {}", `residue: {"path": "/x"}`, "about residue: {}",
		`residue: {"left": 1, "warnings": 1}`,
	} {
		r.Line(line)
	}
	want := []hybridcore.Finding{
		{
			Kind: "residue", Subject: "/etc/ssh/ssh_host_rsa_key", Severity: hybridcore.Error, Blocking: true,
			Message: "left in the image: /etc/ssh/ssh_host_rsa_key: an SSH host key (host-key)",
			Hint:    "the role to remove it: clean",
		},
		{
			Kind: "residue", Subject: "/var/cache/apt/x.bin", Severity: hybridcore.Warning,
			Message: "left in the image: /var/cache/apt/x.bin: a package cache (cache)", Hint: "the role to remove it: clean",
		},
	}
	if diff := cmp.Diff(want, r.Findings); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if !r.Checked || !strings.Contains(r.Failure(), "one thing") {
		t.Errorf("checked %v, failure %q", r.Checked, r.Failure())
	}
	for range 2 * output.MaxTexts {
		r.Line(foundLine)
	}
	if len(r.Findings) != output.MaxTexts {
		t.Errorf("%d findings are kept, want %d", len(r.Findings), output.MaxTexts)
	}
}

func TestResidueFailsTheBuild(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	for name, tt := range map[string]struct {
		script   string
		status   hybridcore.Status
		clean    bool
		findings int
		failure  string
	}{
		"clean": {`echo 'residue: {"left": 0, "warnings": 0}'`, hybridcore.Built, true, 0, ""},
		"warned": {
			"echo '" + cacheLine + `'; echo 'residue: {"left": 0, "warnings": 1}'`, hybridcore.Built, true, 1,
			"",
		},
		"not checked": {"true", hybridcore.Built, false, 0, ""},
		"left": {
			"echo '" + foundLine + `'; echo 'residue: {"left": 1, "warnings": 0}'; exit 3`, hybridcore.Failed,
			false, 1, "the image is not clean",
		},
		"left, exit 0": {
			"echo '" + foundLine + `'; echo 'residue: {"left": 2, "warnings": 0}'`, hybridcore.Failed, false, 1,
			"left 2 things",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := tool.Build(t.Context(), stage(t, nullBuild(tt.script, "")))
			if err != nil {
				t.Fatal(err)
			}
			if out.Status != tt.status || out.Clean != tt.clean || len(out.Findings) != tt.findings {
				t.Errorf("status %s, clean %v, findings %+v", out.Status, out.Clean, out.Findings)
			}
			if out.Failure != nil && !strings.Contains(out.Failure.Message, tt.failure) ||
				(out.Failure == nil) != (tt.failure == "") {
				t.Errorf("failure %+v", out.Failure)
			}
		})
	}
}

// FuzzResidueLine checks that no line of a guest makes a finding without a path and a severity.
func FuzzResidueLine(f *testing.F) {
	f.Add(foundLine)
	f.Add(`residue: {"left": -1, "warnings": 9e99}`)
	f.Fuzz(func(t *testing.T, text string) {
		var r output.Residue
		r.Line(text)
		for _, one := range r.Findings {
			if one.Subject == "" || one.Severity == "" || one.Blocking != (one.Severity == hybridcore.Error) {
				t.Errorf("finding %+v", one)
			}
		}
		if r.Left < 0 {
			t.Errorf("%d things are left", r.Left)
		}
	})
}
