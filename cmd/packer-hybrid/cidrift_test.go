// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:40:00Z
// Spec: openspec/specs/drift/spec.md#requirement-the-issue-of-a-night
// Diagram: openspec/specs/drift/diagram.md#a-look-in-parts

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
)

// built has a machine's state say that an image was built on a platform, or that nothing was.
// There is no record of it.
func (p phases) built(t *testing.T, targets ...string) {
	t.Helper()
	store, err := directory.Open(p.state)
	if err != nil {
		t.Fatal(err)
	}
	err = store.Update(t.Context(), func(s *hybridcore.Snapshot) error {
		s.Targets = map[string]hybridcore.Current{}
		for _, target := range targets {
			s.Targets["lab/"+target] = hybridcore.Current{RunID: "20261123t030000-1a2b3c4d", At: time.Now()}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCIDriftKeepsTheIssue has two jobs look, a third die, and one put together what they
// found: at night it keeps one issue.
func TestCIDriftKeepsTheIssue(t *testing.T) {
	t.Parallel()
	p := newPhases(t, "plan --env lab", "drift --env lab --live")
	p.night = true
	hub := labtest.GitHub(t, github.Config{
		Repository: "o/r", Token: "ghs_of_a_test", Login: "github-actions[bot]", Commits: []string{p.head},
	})
	posts := []string{"GITHUB_API_URL=" + hub.URL(), "GITHUB_TOKEN=ghs_of_a_test", "RUNNER_TEMP=" + t.TempDir()}
	p.built(t, "debian-12@proxmox", "debian-12@vsphere", "debian-12@azure")
	parts := t.TempDir()
	for _, platform := range []string{"proxmox", "vsphere"} {
		machine := p
		if platform == "vsphere" { // with a state of its own
			machine.state = t.TempDir()
		}
		code, log, dir := machine.job(t, []string{"PACKER_HYBRID_PLATFORM=" + platform}, "--drift")
		if code != 0 || !strings.Contains(log, "looked for ") {
			t.Errorf("%s: exit %d\n%s", platform, code, log)
		}
		err := os.CopyFS(filepath.Join(parts, "drift-"+platform), os.DirFS(filepath.Join(dir, "artifacts")))
		if err != nil {
			t.Fatal(err)
		}
	}
	says := []string{
		"drift-record", "debian-12@proxmox was not looked at, because the record does not say what it is on Proxmox VE",
		"debian-12@vsphere was not looked at, because the state that the job of VMware vSphere reads does not have it",
		"debian-12@azure was not looked at, because the job of Microsoft Azure left no answer",
	}
	code, log, dir := p.job(t, posts, "--drift", "--from", parts)
	if code != hybridcore.ExitBlocked {
		t.Errorf("exit %d\n%s", code, log)
	}
	want(t, log, says...)
	text, err := os.ReadFile(filepath.Join(dir, "artifacts", "answer.json"))
	var doc hybridcore.Answer
	if err != nil || json.Unmarshal(text, &doc) != nil || doc.Drift == nil || *doc.Exit != hybridcore.ExitBlocked {
		t.Errorf("%v: %s", err, text)
	}
	issue := func(state string, says ...string) {
		t.Helper()
		all := hub.Issues()
		if len(all) != 1 || all[0]["state"] != state || all[0]["title"] != "Drift of the images" {
			t.Fatalf("issues %v, want one that is %s\n%s", all, state, log)
		}
		want(t, fmt.Sprint(all[0]["body"]), says...)
	}
	issue("open", says...)
	if len(hub.Checks()) == 0 {
		t.Error("there is no check-run")
	}

	day := p // asks for the same by hand
	day.night = false
	p.built(t)
	if code, log, _ = day.job(t, posts, "--drift", "--from", parts); code != 0 {
		t.Errorf("exit %d\n%s", code, log)
	}
	issue("open", says...)
	if code, log, _ = p.job(t, posts, "--drift", "--from", parts); code != 0 {
		t.Errorf("all is well: exit %d\n%s", code, log)
	}
	issue("closed", "nothing in what was looked at")

	file := filepath.Join(parts, "drift-proxmox", "drift-proxmox.json")
	if err := os.WriteFile(file, []byte("null"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.built(t, "debian-12@proxmox")
	if code, log, _ = p.job(t, posts, "--drift", "--from", parts); code != hybridcore.ExitBlocked {
		t.Errorf("a part that is null: exit %d\n%s", code, log)
	}
	issue("open", "debian-12@proxmox was not looked at, because the answer of its job is refused")

	hub.Deny("issues", "issues:read")
	if code, log, _ = p.job(t, posts, "--drift", "--from", t.TempDir()); code != hybridcore.ExitBlocked ||
		!strings.Contains(log, "not reported: the issue: ") {
		t.Errorf("without the permission: exit %d\n%s", code, log)
	}
}
