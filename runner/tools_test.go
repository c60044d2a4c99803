// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:36:40Z
// Spec: openspec/specs/provisioning/spec.md#requirement-tools-before-packer
// Diagram: openspec/specs/provisioning/diagram.md#tools-before-packer

package runner

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/untrusted"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
)

// TestToolsBeforePacker asks for everything on a machine without Ansible.
func TestToolsBeforePacker(t *testing.T) {
	s := newSandbox(t)
	s.needsAnsible(t)
	s.Environ[0] = "PATH=" + t.TempDir()
	r := &Runner{Project: s.Project, Folders: s.folders, Remember: plan.Memory{
		Verdicts: plan.Verdicts(t.TempDir()), Program: "x",
	}}
	lacking := func(answer hybridcore.Answer) (found []hybridcore.Finding) {
		if answer.Plan == nil {
			return nil
		}
		return slices.DeleteFunc(slices.Clone(answer.Plan.Findings),
			func(f hybridcore.Finding) bool { return f.Rule != "missing-tool" })
	}

	answer, err := r.Do(t.Context(), s.request(hybridcore.ActionBuild), nil)
	found := lacking(answer)
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || len(found) != 1 || !found[0].Blocking ||
		!strings.Contains(found[0].Hint, "apt-get install ansible-core") {
		t.Errorf("build: %+v, %v", found, err)
	}
	if runs, err := s.State.Records(t.Context()); err != nil || len(runs) != 0 || s.leased(t) {
		t.Errorf("something began: records %v, %v", runs, err)
	}
	if _, err := os.Stat(s.folders.Logs); err == nil {
		t.Error("something began: there is a log of a target")
	}
	validate := hybridcore.ActionValidate
	for _, action := range []hybridcore.Action{hybridcore.ActionPlan, validate, validate} {
		answer, err := r.Do(t.Context(), s.request(action), nil)
		found := lacking(answer)
		if err != nil || len(found) != 1 || found[0].Blocking || found[0].Severity != hybridcore.Warning {
			t.Errorf("%s: %+v, %v", action, found, err)
		}
	}
	asked := 0
	program := filepath.Join(t.TempDir(), "ansible-playbook")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.Environ[0] = "PATH=" + filepath.Dir(program)
	r.Project.Tools.Answer = func(context.Context, string) string { asked++; return "" }
	for _, reviewed := range []string{strings.Repeat("a", 40), ""} { // a change of this repository, then HEAD itself
		r.Project.Reviewed, asked = reviewed, 0
		for _, action := range []hybridcore.Action{hybridcore.ActionPlan, validate} {
			if answer, err := r.Do(t.Context(), s.request(action), nil); len(lacking(answer)) != 0 {
				t.Errorf("%s of a change: %+v, %v", action, answer.Plan.Findings, err)
			}
		}
		if want := reviewed == ""; (asked > 0) != want {
			t.Errorf("waivers of %q: a program was asked %d times", reviewed, asked)
		}
	}
	s.Environ[0] = "PATH=" + t.TempDir()
	r.Policy = &untrusted.Policy{} // the change of somebody else: it is not built here
	if answer, err := r.Do(t.Context(), s.request(hybridcore.ActionPlan), nil); err != nil || len(lacking(answer)) != 0 {
		t.Errorf("a change: %+v, %v", answer.Plan.Findings, err)
	}
}

// needsAnsible adds a provisioner that runs Ansible to the fixture.
func (s *sandbox) needsAnsible(t *testing.T) {
	t.Helper()
	path := filepath.Join(s.dir, "templates", "common.pkr.hcl")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	with := strings.Replace(string(text), "  provisioner ", "  provisioner \"ansible\" {\n    playbook_file = "+
		"\"${path.root}/scripts/linux/hello.sh\"\n  }\n\n  provisioner ", 1)
	if err := os.WriteFile(path, []byte(with), 0o600); err != nil {
		t.Fatal(err)
	}
}
