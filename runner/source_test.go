// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T20:52:00Z
// Spec: openspec/specs/packer/spec.md#requirement-command-lines
// Diagram: openspec/specs/packer/diagram.md#one-job

package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
)

// A platform's template may hold a source for each operating system: the one of
// the image is built, and nothing else gets the artifact's name.
func TestOneSourceOfSeveralIsBuilt(t *testing.T) {
	const template = "templates/platforms/vsphere.pkr.hcl"
	second := "source \"null\" \"windows\" {\n  communicator = \"none\"\n}\n\nsource \"null\" \"linux\""
	for name, build := range map[string]string{
		"build block": "build {", "named build block": "build {\n  name = \"golden\"",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.plant(t, template, `["source.null.linux"]`, `["source.null.windows", "source.null.linux"]`)
			s.plant(t, template, `source "null" "linux"`, second)
			s.plant(t, "templates/common.pkr.hcl", "build {", build)
			s.set(t, "debian-12", "script", `"echo $ARTIFACT built"`)
			rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
			if got, want := statuses(rec), "debian-12@vsphere=built"; got != want {
				t.Fatalf("got %s, want %s\n%s", got, want, s.events.text())
			}
			if n := strings.Count(s.events.text(), "output debian-12-"+rec.RunID+" built\n"); n != 1 {
				t.Errorf("the name was given to %d builds, want 1\n%s", n, s.events.text())
			}
			if found := rec.Results[0].Findings; len(found) != 1 || found[0].Kind != output.KindResidue {
				t.Errorf("findings %v, want nothing but that the fixture has no residue check", found)
			}
		})
	}
}

// plant changes a file of the sandbox.
func (s *sandbox) plant(t *testing.T, file, old, new string) {
	t.Helper()
	file = filepath.Join(s.dir, file)
	data, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(data), old) {
		t.Fatalf("%s lacks %q: %v", file, old, err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(data), old, new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}
