// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:50:11Z
// Spec: openspec/specs/waivers/spec.md#requirement-one-form
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
)

// filled is what a template proposes, filled in.
func filled(findings []hybridcore.Finding) string {
	block := strings.ReplaceAll(waivers.Template(findings), `expires = "`+waivers.Ask, `expires = "2999-01-31`)
	return strings.ReplaceAll(block, waivers.Ask, "said")
}

// TestWaivedFinding breaks a rule, and has it accepted: by nobody, by the change itself, by a reviewed commit.
func TestWaivedFinding(t *testing.T) {
	s := newSandbox(t)
	u := &gittest.Upstream{TB: t, Dir: s.dir}
	u.Git("init", "-q", "-b", "main", "--template=")
	broken := filepath.Join(s.dir, "templates", "platforms", "vsphere.pkr.hcl")
	text, err := os.ReadFile(broken)
	if err != nil {
		t.Fatal(err)
	}
	gittest.Put(t, broken, string(text)+"\nlocals {\n  broken = nowhere(1)\n}\n")
	gittest.Put(t, filepath.Join(s.dir, "x", ".env"), "DB_PASSWORD=hunter2\n")
	first := u.Commit("a broken rule")
	r := &Runner{Project: s.Project, Folders: s.folders}
	check := func(action hybridcore.Action) (hybridcore.Answer, int) {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		answer, err := r.Do(t.Context(), s.request(action, "debian-12"), nil)
		if err != nil {
			return answer, hybridcore.ExitCode(err)
		}
		return answer, answer.ExitCode()
	}
	answer, code := check(hybridcore.ActionValidate)
	if code != hybridcore.ExitBlocked {
		t.Fatalf("exit code %d: %v", code, answer.All())
	}
	_, leak, _ := strings.Cut(answer.All()[0].Hint, "\nwaiver ")
	leak = strings.ReplaceAll("waiver "+leak, `expires = "`+waivers.Ask, `expires = "2999-01-31`)
	leak = strings.ReplaceAll(leak, waivers.Ask, "me")
	gittest.Put(t, filepath.Join(s.dir, waivers.FileName), filled(answer.All())+leak+"\n")
	if answer, code = check(hybridcore.ActionValidate); code != hybridcore.ExitBlocked {
		t.Errorf("a change waives itself: exit code %d: %v", code, answer.All())
	}
	for _, f := range answer.All() {
		if f.Blocking && !strings.Contains(f.Hint, "counts once it is reviewed") {
			t.Errorf("%+v", f)
		}
	}
	u.Commit("waivers")
	if answer, code = check(hybridcore.ActionValidate); code != hybridcore.ExitOK {
		t.Errorf("reviewed: exit code %d: %v", code, answer.All())
	}
	used := hybridcore.WaiversIn(answer.All())
	if len(used) != 3 || used[2].Rule != "unknown-function" || used[2].Owner != "said" || used[2].Until != "2999-01-31" ||
		!strings.Contains(used[2].From, "commit ") {
		t.Errorf("%+v", used)
	}
	r.Project.Reviewed = first
	if answer, code = check(hybridcore.ActionValidate); code != hybridcore.ExitBlocked {
		t.Errorf("in the job of the change: exit code %d: %v", code, answer.All())
	}
	r.Project.Reviewed = ""
	gittest.Put(t, broken, string(text))
	answer, code = check(hybridcore.ActionBuild)
	if code != hybridcore.ExitOK || answer.Record == nil || len(answer.Record.Waived) != 1 ||
		answer.Record.Waived[0].Owner != "me" {
		t.Errorf("the record of a build: exit code %d: %+v", code, answer.Record)
	}
	req := s.request(hybridcore.ActionValidate)
	req.Images, req.Platforms = nil, nil
	if answer, err = r.Do(t.Context(), req, nil); err != nil {
		t.Fatal(err)
	}
	stale := 0
	for _, f := range answer.All() {
		if f.Rule == waivers.RuleStale {
			stale++
		}
	}
	if stale != 1 {
		t.Errorf("%d stale waivers: %v", stale, answer.All())
	}
}
