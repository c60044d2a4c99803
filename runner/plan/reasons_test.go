// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:52:00Z
// Spec: openspec/specs/runner/spec.md#requirement-plan-stage
// Diagram: openspec/specs/runner/diagram.md#stages

package plan

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
)

func TestDecide(t *testing.T) {
	target := hybridcore.Target{
		Env: "lab", Image: hybridcore.Image{OS: "linux"}, Platform: hybridcore.VSphere, Source: "null.linux",
		Files: []hybridcore.File{{Path: "ansible/linux.yml", From: "templates/ansible/linux.yml"}},
		Inputs: map[string]string{
			"source": "vsphere-clone.linux", "file:ansible/linux.yml": "aa", "file:new.sh": "bb",
			"var:size": "2", "packer": "1.15.0", "plugin:x/y": "2.0",
		},
		Variables: []hybridcore.Variable{{Name: "size", Layers: []hybridcore.Layer{
			{Name: "default", File: "a.pkr.hcl", Line: 1},
			{Name: "linux/common", File: "templates/vars/linux/common.pkrvars.hcl", Line: 4},
		}}, {Name: "build_from", Layers: []hybridcore.Layer{{
			Name: "configs/lab/vsphere",
			File: "configs/lab/vsphere.pkrvars.hcl", Line: 7,
		}}}},
	}
	was := map[string]string{
		"source": "vsphere-iso.linux", "file:ansible/linux.yml": "a0", "file:old.sh": "cc",
		"var:size": "1", "packer": "1.14.0", "plugin:x/y": "2.0",
	}
	set, err := templates.LoadFS(os.DirFS("../testdata/project"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name     string
		inputs   map[string]string
		current  *hybridcore.Current
		rebuild  bool
		decision hybridcore.Decision
		texts    []string
	}{
		{"never built", target.Inputs, nil, false, hybridcore.Build, []string{"never built in lab"}},
		{
			"equal", target.Inputs, &hybridcore.Current{Inputs: target.Inputs, RunID: "r1"}, false, hybridcore.Unchanged,
			[]string{"all 6 inputs equal run r1 of 0001-01-01 00:00:00 UTC"},
		},
		{
			"forced", target.Inputs, &hybridcore.Current{Inputs: target.Inputs}, true, hybridcore.Build,
			[]string{"a rebuild was asked for"},
		},
		{"everything changed", target.Inputs, &hybridcore.Current{Inputs: was}, false, hybridcore.Build, []string{
			"source vsphere-iso.linux → vsphere-clone.linux configs/lab/vsphere.pkrvars.hcl:7",
			"file ansible/linux.yml changed templates/ansible/linux.yml:0", "new file new.sh", "file old.sh is gone",
			"version packer: 1.14.0 → 1.15.0", "variable size: 1 → 2 templates/vars/linux/common.pkrvars.hcl:4",
		}},
		{
			"no packer here",
			map[string]string{
				"source": "vsphere-iso.linux", "var:size": "1", "file:ansible/linux.yml": "a0",
				"file:old.sh": "cc",
			},
			&hybridcore.Current{Inputs: was}, false, hybridcore.Unchanged,
			[]string{"all 4 inputs equal run  of 0001-01-01 00:00:00 UTC"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target.Inputs = tt.inputs
			p := &planning{
				now: &tree{set: set, files: os.DirFS("../testdata/project")},
				req: hybridcore.Request{Rebuild: tt.rebuild},
			}
			if tt.current != nil {
				p.snapshot.Targets = map[string]hybridcore.Current{target.Key(): *tt.current}
			}
			got := p.decide(t.Context(), target)
			if got.Decision != tt.decision {
				t.Errorf("decision %s, want %s", got.Decision, tt.decision)
			}
			var texts []string
			for _, r := range got.Reasons {
				text := r.Text
				if r.File != "" {
					text += " " + r.File + ":" + string(rune('0'+r.Line))
				}
				texts = append(texts, text)
			}
			if diff := cmp.Diff(tt.texts, texts); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
		})
	}
}
