// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:30:49Z
// Spec: openspec/specs/full-validation/spec.md#requirement-plugins-run-bounded
// Diagram: openspec/specs/full-validation/diagram.md#one-component

package prepare

import (
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/plugins/component"
)

// TestManifestsAreOneQuestion holds which configurations share a verdict.
func TestManifestsAreOneQuestion(t *testing.T) {
	t.Parallel()
	manifest := func(output string, data map[string]cty.Value) cty.Value {
		return cty.ObjectVal(map[string]cty.Value{
			"output": cty.StringVal(output), "strip_path": cty.True, "strip_time": cty.NullVal(cty.Bool),
			"custom_data": cty.MapVal(data),
		})
	}
	plain := manifest("/a/manifest.json", map[string]cty.Value{"image": cty.StringVal("debian-1")})
	for name, tc := range map[string]struct {
		kind  component.Kind
		name  string
		other cty.Value
		same  bool
	}{
		"another text": {
			component.PostProcessor, "manifest",
			manifest("/b/manifest.json", map[string]cty.Value{"image": cty.StringVal("debian-2")}), true,
		},
		"another key": {
			component.PostProcessor, "manifest",
			manifest("/a/manifest.json", map[string]cty.Value{"os": cty.StringVal("debian-1")}), false,
		},
		"a template": {
			component.PostProcessor, "manifest",
			manifest("/a/{{ .Bad", map[string]cty.Value{"image": cty.StringVal("debian-1")}), false,
		},
		"a template inside": {
			component.PostProcessor, "manifest",
			manifest("/a/manifest.json", map[string]cty.Value{"image": cty.StringVal("x{{nothing}}")}), false,
		},
		"a provisioner": {
			component.Provisioner, "manifest",
			manifest("/b/manifest.json", map[string]cty.Value{"image": cty.StringVal("debian-2")}), false,
		},
		"another component": {
			component.PostProcessor, "checksum",
			manifest("/b/manifest.json", map[string]cty.Value{"image": cty.StringVal("debian-2")}), false,
		},
	} {
		h := &checking{session: &session{job: Job{Packer: Binary{Path: "/packer"}}}, stage: Stage{Root: "/stage", Name: "0"}}
		program := component.Program{Path: "/packer", Args: []string{"execute"}}
		q := question{kind: tc.kind, name: tc.name}
		if same := h.key(program, q, plain) == h.key(program, q, tc.other); same != tc.same {
			t.Errorf("%s: asked once: %v, want %v", name, same, tc.same)
		}
		program.Path = "/plugins/packer-plugin-manifest"
		if tc.other.RawEquals(plain) != (h.key(program, q, plain) == h.key(program, q, tc.other)) {
			t.Errorf("%s: a plugin's component of that name shares a verdict", name)
		}
	}
}
