// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:46:00Z
// Spec: openspec/specs/reports/spec.md#requirement-foreign-text-is-inert
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
)

// newHostileChange is a change that adds a file of each hostile name, with a
// commit message of all values and some of them in a variable.
func newHostileChange(t *testing.T) hosted {
	t.Helper()
	s := newCheckout(t)
	var message strings.Builder
	for _, name := range slices.Sorted(maps.Keys(hostile)) {
		text := strings.NewReplacer("/", "_", "\x00", "").Replace(hostile[name])
		text = text[:min(len(text), 200)]
		message.WriteString(text + "\n")
		if err := os.WriteFile(filepath.Join(s.dir, "templates", "ansible", "roles", "clean", "files", "x"+text),
			[]byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.edit("configs/lab/common.pkrvars.hcl", "", "\nunknown_variable = \"::error::x ##[error]y <img src=x> @everyone #1 `|\"\n")
	s.git("add", "-A")
	s.git("commit", "-q", "--cleanup=verbatim", "-m", message.String())
	return host(t, s, nil)
}

// change is the payload of a pull request with a value in every field that its author writes.
func (h hosted) change(t *testing.T, value string) string {
	t.Helper()
	repo := map[string]any{"id": 5, "full_name": "o/r", "default_branch": "main"}
	author := map[string]any{"id": 4, "login": value}
	payload, err := json.Marshal(map[string]any{
		"action": "opened", "number": 7, "repository": repo, "sender": author,
		"pull_request": map[string]any{
			"number": 7, "title": value, "body": value, "user": author, "labels": []any{map[string]any{"name": value}},
			"head": map[string]any{"sha": h.head, "ref": value, "label": value, "repo": repo}, "base": map[string]any{"sha": h.base(), "ref": value, "repo": repo},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(payload)
}

// base is the commit that the change began from.
func (h hosted) base() string { return h.site.head() }

// TestCIWithHostileNames runs the job of a change that is hostile in every name,
// and checkers what the job leaves.
func TestCIWithHostileNames(t *testing.T) {
	t.Parallel()
	h := newHostileChange(t)
	quick := post.WithClock((&quickClock{}).clock(), time.Minute)
	_, benign, _ := h.step(t, "pull_request", h.change(t, "benign"), quick)
	if all := commands(benign); len(all) < 8 || !slices.Contains(all, "warning") && !slices.Contains(all, "error") {
		t.Fatalf("the harmless event has the commands %q\n%s", all, benign)
	}
	for _, name := range commands(benign) {
		if !slices.Contains([]string{"add-mask", "group", "endgroup", "stop-commands", "go on", "error", "warning", "notice"}, name) {
			t.Errorf("the command %q of a file's name", name)
		}
	}
	for _, name := range []string{"lone return", "line break", "HTML", "mention", "terminal", "comment of HTML", "shell"} {
		_, log, summary := h.step(t, "pull_request", h.change(t, hostile[name]), quick)
		if diff := cmp.Diff(commands(benign), commands(log)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		checkMarkdown(t, summary, "")
		if !strings.Contains(summary, "roles/clean/files/x") {
			t.Errorf("%s: no file of the change is shown:\n%s", name, summary)
		}
		h.check(t)
	}
}

// check checkers the check-run, the comment and the files of the last job.
func (h hosted) check(t *testing.T) {
	t.Helper()
	comments, checks := h.hub.Comments(), h.hub.Checks()
	if len(comments) != 1 || len(checks) == 0 {
		t.Fatalf("%d comments and %d check-runs", len(comments), len(checks))
	}
	body := fmt.Sprint(comments[0]["body"])
	first, rest, _ := strings.Cut(body, "\n")
	rest, last, _ := strings.Cut(rest, "\n<sub>Commit `")
	if !strings.HasPrefix(first, "<!-- packer-hybrid:report run=11.1 ") || strings.Count(last, "\n") > 1 {
		t.Errorf("the comment begins with %q and ends with %q", first, last)
	}
	checkMarkdown(t, rest, "")
	output, _ := checks[len(checks)-1]["output"].(github.Object)
	checkMarkdown(t, fmt.Sprint(output["summary"]), "")
	checkPlain(t, fmt.Sprint(output["title"]), "")
	for _, file := range []string{"plan.json", "findings.sarif"} {
		data, err := os.ReadFile(filepath.Join(h.dir, "artifacts", file))
		if err != nil || !json.Valid(data) {
			t.Errorf("%s: %v", file, err)
		}
		checkInert(t, string(data), "")
	}
}
