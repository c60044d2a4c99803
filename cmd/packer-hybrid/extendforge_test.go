// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:30:00Z
// Spec: openspec/specs/repository/spec.md#requirement-forges
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// anvil is the forge of the page, with what was reported there.
type anvil struct {
	*httptest.Server
	mu       sync.Mutex
	checks   map[string]map[string]string
	comments []map[string]any
}

func newAnvil(t *testing.T) *anvil {
	t.Helper()
	a := &anvil{checks: map[string]map[string]string{}, comments: []map[string]any{}}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		check, comment := map[string]string{}, map[string]any{}
		switch {
		case r.Header.Get("Authorization") != "Bearer of-the-anvil":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasPrefix(r.URL.Path, "/checks/") && json.NewDecoder(r.Body).Decode(&check) == nil:
			a.checks[check["name"]] = check
			_, _ = w.Write([]byte("{}"))
		case r.URL.Path != "/changes/7/comments":
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodGet:
			_ = json.NewEncoder(w).Encode(a.comments)
		case json.NewDecoder(r.Body).Decode(&comment) == nil:
			comment["ID"], a.comments = 5, []map[string]any{comment}
			_ = json.NewEncoder(w).Encode(comment)
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// commits makes a repository of a project, with a change to one image on a branch, and
// returns the commits of both.
func commits(t *testing.T, dir string) (base, change string) {
	t.Helper()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "main")
	git("config", "user.name", "n")
	git("config", "user.email", "n@example.org")
	git("add", "packer-hybrid.hcl", "templates", "configs", "sources")
	git("commit", "-q", "-m", "base")
	base = git("rev-parse", "HEAD")
	git("checkout", "-q", "-b", "change")
	file := filepath.Join(dir, "configs", "lab", "debian-12@vsphere.pkrvars.hcl")
	if err := os.WriteFile(file, []byte("vm_cpu_count = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	git("add", file)
	git("commit", "-q", "-m", "change")
	return base, git("rev-parse", "HEAD")
}

// The program that is built with the page's files does a job of a forge that this one
// does not know: it plans and validates a change, and reports there.
func TestAddingAForge(t *testing.T) {
	dir, files := extended(t, "forge.md")
	program, on := overlaid(t, dir, files), newAnvil(t)
	base, change := commits(t, dir)
	environ := append(os.Environ(), "HOME="+t.TempDir(), "TMPDIR="+t.TempDir(), "PACKER_HYBRID_CACHE="+toolCache(t),
		"GITHUB_ACTIONS=", "GITLAB_CI=")
	job := append(environ, "ANVIL_CI=true", "ANVIL_WORKSPACE="+dir, "ANVIL_EVENT=change", "ANVIL_REPOSITORY=o/r",
		"ANVIL_RUN=9", "ANVIL_CHANGE=7", "ANVIL_USER=1", "ANVIL_FORK=false", "ANVIL_COMMIT="+change, "ANVIL_BASE="+base,
		"ANVIL_API="+on.URL, "ANVIL_TOKEN=of-the-anvil")
	ends := func(code int, environ []string, verb ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, append(verb, "-C", dir)...)
		cmd.Env = environ
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
			t.Fatalf("%s: %v, want exit %d\n%s", verb, err, code, out)
		}
		return string(out)
	}
	want(t, ends(hybridcore.ExitUsage, environ, "ci"), "neither GITHUB_ACTIONS, GITLAB_CI nor ANVIL_CI is true")
	want(t, ends(hybridcore.ExitOK, job, "ci"), "packer-hybrid plan", "1 to build, 5 unchanged", "packer-hybrid validate",
		"valid: 6 targets of lab")
	check := on.checks["packer-hybrid plan lab"]
	if len(on.checks) != 1 || check["status"] != "completed" || check["conclusion"] != "success" {
		t.Errorf("checks %v", on.checks)
	}
	if len(on.comments) != 1 {
		t.Fatalf("comments %v", on.comments)
	}
	body, _ := on.comments[0]["Body"].(string)
	want(t, body, "Image plan for `lab`", "debian-12@vsphere")
	if _, err := os.Stat(filepath.Join(dir, "artifacts", "plan.json")); err != nil {
		t.Error(err)
	}
	want(t, ends(hybridcore.ExitOK, environ, "plan", "--matrix", "anvil", "--env", "lab"), "debian-12@vsphere ")
	want(t, ends(hybridcore.ExitOK, job, "flush"))
	pushed := append(job, "ANVIL_EVENT=tea")
	want(t, ends(hybridcore.ExitOK, pushed, "ci"), "nothing to do: the event tea asks for nothing")
}
