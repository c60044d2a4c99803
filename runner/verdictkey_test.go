// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:52:00Z
// Spec: openspec/specs/plan/spec.md#requirement-remembered-verdicts
// Diagram: openspec/specs/plan/diagram.md#verdicts

package runner

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
)

func TestVerdictKey(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	v := plan.Verdicts(t.TempDir())
	s.Tools.PinnedPlugins = t.TempDir()
	keyOf := func(with string) string {
		req := s.request(hybridcore.ActionValidate)
		req.With = with
		return s.planner().VerdictKey(t.Context(), v, req, "one")
	}
	key := func() string { return keyOf(hybridcore.WithPacker) }
	first := key()
	if len(first) != 64 || key() != first {
		t.Fatalf("the same inputs give %q and %q", first, key())
	}
	s.Environ = append(s.Environ, "GITHUB_RUN_ID=7")
	if key() != first {
		t.Error("what Packer does not see changes the key")
	}
	put := func(path, text string) func() {
		return func() {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	inProcess := keyOf("")
	if len(inProcess) != 64 || inProcess == first || keyOf(hybridcore.WithPlugins) == first {
		t.Error("who looked is not in the key")
	}
	put(filepath.Join(s.Tools.PinnedPlugins, "packer-plugin-y"), "y")()
	if keyOf("") != inProcess || key() == first {
		t.Error("a plugin is in the key of a look without plugins, or not in that of Packer")
	}
	seen := map[string]string{key(): "nothing"}
	for _, c := range []struct {
		name   string
		change func()
	}{
		{"a byte of a script", put(filepath.Join(s.dir, "templates/scripts/linux/hello.sh"), "#!/bin/sh\n#\n")},
		{"a new file", put(filepath.Join(s.dir, "templates/ansible.cfg"), "x")},
		{"an empty variable file", put(filepath.Join(s.dir, "configs/lab/common.pkrvars.hcl"), "")},
		{"the project file", put(filepath.Join(s.dir, "packer-hybrid.hcl"), "project {}")},
		{"a plugin", put(filepath.Join(s.Tools.PinnedPlugins, "packer-plugin-x"), "x")},
		{"a secret", func() { s.Environ = append(s.Environ, "PKR_VAR_build_password=another") }},
		{"what Packer inherits", func() { s.Environ = append(s.Environ, "HTTPS_PROXY=http://p") }},
	} {
		c.change()
		k := key()
		if seen[k] != "" || k == "" {
			t.Errorf("%s: the key %q is that of %s", c.name, k, seen[k])
		}
		seen[k] = c.name
	}
	if one := s.request(hybridcore.ActionValidate,
		"debian-12"); seen[s.planner().VerdictKey(t.Context(), v, one, "one")] != "" {
		t.Error("another request has the same key")
	}
	if seen[s.planner().VerdictKey(t.Context(), v, s.request(hybridcore.ActionValidate), "two")] != "" {
		t.Error("another program has the same key")
	}
	if seen[s.planner().VerdictKey(t.Context(), plan.Verdicts(t.TempDir()), s.request(hybridcore.ActionValidate),
		"one")] != "" {
		t.Error("two caches have the same keys: they are not keyed")
	}
}
