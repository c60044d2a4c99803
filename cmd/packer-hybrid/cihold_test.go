// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:34:27Z
// Spec: openspec/specs/ci/spec.md#requirement-reports-of-unreviewed-code
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
)

// changeOf is the payload of a pull request from the repository of an ID.
func (d decided) changeOf(repo int) string {
	return fmt.Sprintf(`{"action":"opened","number":7,"pull_request":{"number":7,"head":{"sha":"%[1]s","ref":"change","repo":{"id":%[3]d}},`+
		`"base":{"sha":"%[2]s","repo":{"id":5}},"user":{"id":8,"login":"otto"}},"repository":{"id":5,"full_name":"o/r","default_branch":"main"},"sender":{"id":8,"login":"otto"}}`,
		d.patch, d.main, repo)
}

// The job of a change has no way to send its report; another job does, which
// has no checkout.
func TestReportOfAChange(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "")
	d.git("checkout", "-q", "change")
	code, log, outputs := d.step(t, "pull_request", d.changeOf(5), []string{"GITHUB_TOKEN="}, "--hold")
	held := filepath.Join(outputs["upload"], "report")
	if code != 0 || len(d.hub.Checks())+len(d.hub.Comments()) > 0 {
		t.Fatalf("exit code %d, %d check-runs\n%s", code, len(d.hub.Checks()), log)
	}
	d.dir = t.TempDir() // there is no checkout
	code, log, _ = d.step(t, "pull_request", d.changeOf(5), nil, "--report", held)
	if all := d.hub.Checks(); code != 0 || len(all) != 1 || all[0]["head_sha"] != d.patch ||
		all[0]["conclusion"] != "success" || len(d.hub.Comments()) != 1 {
		t.Errorf("exit code %d, %v, %v\n%s", code, all, d.hub.Comments(), log)
	}
	if body := fmt.Sprint(d.hub.Comments()[0]["body"]); !strings.Contains(body, "0 of 6 targets to build") {
		t.Errorf("the comment is %s", body)
	}
	// A second run edits the same comment; a fork's is left to the summary.
	if code, log, _ = d.step(t, "pull_request", d.changeOf(5), nil, "--report", held); code != 0 ||
		len(d.hub.Comments()) != 1 {
		t.Errorf("again: exit code %d, %d comments\n%s", code, len(d.hub.Comments()), log)
	}
	calls := len(d.hub.Calls())
	if code, log, _ = d.step(t, "pull_request", d.changeOf(6), nil, "--report", held); code != 0 ||
		!strings.Contains(log, "nothing to do: the change comes from another repository") {
		t.Errorf("of a fork: exit code %d\n%s", code, log)
	}
	if code, log, _ = d.step(t, "workflow_dispatch", dispatchOf(d.main, "build"), nil, "--report", held); code != 3 ||
		len(d.hub.Calls()) != calls {
		t.Errorf("of a dispatch: exit code %d, %d calls\n%s", code, len(d.hub.Calls())-calls, log)
	}
}

// What another process put into the place of a report is refused, or has nothing
// of it but harmless texts sent to the change of the event.
func TestReportOfSomebodyElse(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "")
	evil := post.Held{Slot: "report", Comment: "<!-- packer-hybrid:report run=9.9 -->\n/merge\n@acme/admins <img " +
		"src=x> [x](https://evil.example) " + jobToken, Checks: []report.Check{{
		Name: "packer-hybrid plan lab", Status: report.CheckCompleted, Conclusion: report.Success, Title: "fine\n::error::x",
		Summary: "![](https://evil.example/x.png)",
	}}}
	write := func(change func(*post.Held)) string {
		one := evil
		one.Checks = slices.Clone(evil.Checks)
		if change != nil {
			change(&one)
		}
		text, err := json.Marshal([]post.Held{one})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	send := func(text string) (int, string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, post.HeldName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, log, _ := d.step(t, "pull_request", d.changeOf(5), nil, "--report", dir)
		return code, log
	}
	for name, text := range map[string]string{
		"an outbox":            `{"kind":"open","address":{"repository":"o/r","commit":"` + d.main + `","slot":"report"}}`,
		"another address":      strings.Replace(write(nil), `"slot"`, `"address":{"repository":"x/y"},"slot"`, 1),
		"null":                 "null",
		"a null report":        "[null]",
		"the check of a build": write(func(h *post.Held) { h.Checks[0].Name = "packer-hybrid build prod" }),
		"somebody's check":     write(func(h *post.Held) { h.Checks[0].Name = "security review" }),
		"a target's check":     write(func(h *post.Held) { h.Checks[0].Key = "debian-12@vsphere" }),
		"the answer's slot":    write(func(h *post.Held) { h.Slot = "answer" }),
		"another conclusion":   write(func(h *post.Held) { h.Checks[0].Conclusion = "skipped" }),
		"a path outside": write(func(h *post.Held) {
			h.Checks[0].Annotations = []report.Annotation{{Path: "../x", Line: 1, Level: "notice"}}
		}),
		"twice":            "[" + strings.Trim(write(nil), "[]") + "," + strings.Trim(write(nil), "[]") + "]",
		"something behind": write(nil) + "[]",
		"too large":        strings.Repeat(" ", 5<<20),
	} {
		if code, log := send(text); code != 3 || len(d.hub.Checks())+len(d.hub.Comments()) > 0 {
			t.Errorf("%s: exit code %d, %v\n%s", name, code, d.hub.Checks(), log)
		}
	}
	for name, dir := range d.places(t) {
		if code, log, _ := d.step(t, "pull_request", d.changeOf(5), nil, "--report", dir); code != 3 ||
			len(d.hub.Checks()) > 0 {
			t.Errorf("%s: exit code %d\n%s", name, code, log)
		}
	}
	if code, log := send(write(nil)); code != 0 || len(d.hub.Comments()) != 1 || len(d.hub.Checks()) != 1 {
		t.Fatalf("exit code %d, %d comments\n%s", code, len(d.hub.Comments()), log)
	}
	body, check := fmt.Sprint(d.hub.Comments()[0]["body"]), fmt.Sprint(d.hub.Checks()[0])
	if !strings.HasPrefix(body, "<!-- packer-hybrid:report run=11.1 ") || strings.Count(body, "<!--") != 1 {
		t.Errorf("the comment begins with another mark: %s", body)
	}
	for _, text := range []string{
		"\n/merge", " @acme", "<img", "](https://evil", "https://evil", "![](", jobToken,
		"\n::error",
	} {
		if strings.Contains(body+check, text) {
			t.Errorf("%q is in\n%s\n%s", text, body, check)
		}
	}
	if d.hub.Checks()[0]["head_sha"] != d.patch {
		t.Errorf("the check is at %v", d.hub.Checks()[0]["head_sha"])
	}
}

// places are folders in which no regular file is the report.
func (d decided) places(t *testing.T) map[string]string {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	link, pipe, folder := t.TempDir(), t.TempDir(), t.TempDir()
	for _, err := range []error{
		os.WriteFile(secret, []byte("[]"), 0o600),
		os.Symlink(secret, filepath.Join(link, post.HeldName)),
		syscall.Mkfifo(filepath.Join(pipe, post.HeldName), 0o600),
		os.Mkdir(filepath.Join(folder, post.HeldName), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return map[string]string{"a link": link, "a pipe": pipe, "a folder": folder, "nothing": t.TempDir()}
}

// A change is planned by the lines of its base, not by its own.
func TestPolicyOfTheBase(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "")
	d.git("checkout", "-q", "change")
	d.edit("packer-hybrid.hcl", `default_environment = "lab"`, `default_environment = "example"`)
	d.edit("packer-hybrid.hcl", `change   = ["plan", "validate"]`, `change   = ["build", "reap", "publish"]`)
	d.git("commit", "-q", "-a", "-m", "more rights")
	d.patch = d.commit("change")
	for name, repo := range map[string]int{"of this repository": 5, "of a fork": 6} {
		code, log, _ := d.step(t, "pull_request", d.changeOf(repo),
			[]string{"PACKER_HYBRID_STATE=" + filepath.Join(t.TempDir(), "none")}, "--hold")
		if code != 0 || !strings.Contains(log, "plan for lab: ") || !strings.Contains(log, "targets of lab") ||
			strings.Contains(log, "::group::packer-hybrid build") {
			t.Errorf("%s: exit code %d\n%s", name, code, log)
		}
	}
	// A base without a project file has the default lines.
	s := site{t, t.TempDir()}
	s.git("init", "-q", "-b", "main", "--template=")
	s.git("commit", "-q", "--allow-empty", "-m", "empty")
	d.main = s.commit("main")
	s.git("fetch", "-q", d.dir, "change")
	s.git("checkout", "-q", "-b", "change", "FETCH_HEAD")
	d.dir, d.patch = s.dir, s.commit("change")
	code, log, _ := d.step(t, "pull_request", d.changeOf(5), nil, "--hold")
	if code == 0 || !strings.Contains(log, "have no merge base") ||
		strings.Contains(log, "::group::packer-hybrid build") || !strings.Contains(log, "::group::packer-hybrid validate") {
		t.Errorf("without a project file: exit code %d\n%s", code, log)
	}
}
