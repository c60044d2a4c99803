// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:46:30Z
// Spec: openspec/specs/ci/spec.md#requirement-the-verb-ci
// Diagram: openspec/specs/ci/diagram.md#the-verb

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
)

// jobOf is a job of a simulated GitHub for a push to the default branch, with
// one command to do.
type jobOf struct {
	hub  *github.Server
	head string
	temp string // RUNNER_TEMP
}

// inJob makes a repository of the project, and a GitHub for it.
func (b *bed) inJob(t *testing.T) jobOf {
	t.Helper()
	s := site{t, b.dir}
	s.git("init", "-q", "-b", "main", "--template=")
	s.git("add", "-A")
	s.git("commit", "-q", "-m", "base")
	head := s.head()
	hub := labtest.GitHub(t, github.Config{
		Repository: "o/r", Token: jobToken, Login: "github-actions[bot]", Commits: []string{head},
	})
	return jobOf{hub, head, t.TempDir()}
}

// env is the environment of a step, whose files are in a folder.
func (j jobOf) env(t *testing.T, root, command string) (environ []string, folder string) {
	t.Helper()
	folder = t.TempDir()
	environ = []string{
		"GITHUB_ACTIONS=true", "GITHUB_EVENT_NAME=push", "INPUT_COMMAND=" + command, "GITHUB_TOKEN=" + jobToken,
		"GITHUB_API_URL=" + j.hub.URL(), "GITHUB_RUN_ID=11", "GITHUB_RUN_ATTEMPT=1", "GITHUB_WORKSPACE=" + root,
		"RUNNER_TEMP=" + j.temp,
	}
	push := `{"ref":"refs/heads/main","after":%q,"head_commit":{"id":%[1]q},"repository":{"full_name":"o/r","default_branch":"main"},"sender":{"id":4}}`
	for name, text := range map[string]string{
		"GITHUB_EVENT_PATH": fmt.Sprintf(push, j.head), "GITHUB_OUTPUT": "",
		"GITHUB_STEP_SUMMARY": "",
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		environ = append(environ, name+"="+path)
	}
	return environ, folder
}

// ended fails unless there are check-runs of one conclusion for the run and
// each of its targets.
func (j jobOf) ended(t *testing.T, conclusion string, targets int) {
	t.Helper()
	all := j.hub.Checks()
	if len(all) != targets+1 {
		t.Errorf("%d check-runs, want those of the run and %d targets", len(all), targets)
	}
	for _, c := range all {
		if c["status"] != "completed" || c["conclusion"] != conclusion {
			t.Errorf("the check-run %v is %v, %v; want %s", c["name"], c["status"], c["conclusion"], conclusion)
		}
	}
}

// testCIBuild builds on a push to the default branch, with check-runs for the
// run and its target; a second push with nothing changed builds nothing.
func testCIBuild(t *testing.T, b *bed) {
	t.Helper()
	job := b.inJob(t)
	step := func() (int, string, string) {
		env, files := job.env(t, b.dir, "build debian-12 --platforms vsphere")
		cmd := b.command("ci")
		cmd.Env = append(cmd.Env, env...)
		out, err := cmd.CombinedOutput()
		summary, _ := os.ReadFile(filepath.Join(files, "GITHUB_STEP_SUMMARY"))
		return exitCode(t, err), string(out), string(summary)
	}
	code, out, summary := step()
	if code != 0 || !strings.Contains(summary, "**Done** in ") {
		t.Fatalf("exit code %d\n%s\n%s", code, out, summary)
	}
	for _, file := range []string{"plan.json", "record.json"} {
		if _, err := os.Stat(filepath.Join(b.dir, "artifacts", file)); err != nil {
			t.Error(err)
		}
	}
	for _, pattern := range []string{
		"packer-hybrid-upload-*/record.json",
		"packer-hybrid-upload-*/logs/*/debian-12@vsphere.log", "packer-hybrid/logs/packer-hybrid.log",
	} {
		if found, err := filepath.Glob(filepath.Join(job.temp, pattern)); err != nil || len(found) != 1 {
			t.Errorf("%s: %q, %v", pattern, found, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(b.dir, "logs")); !os.IsNotExist(err) {
		t.Errorf("the job keeps logs in the checkout: %v", err)
	}
	b.noSecret(t, summary)
	job.ended(t, "success", 1)
	if code, out, summary = step(); code != 0 || !strings.Contains(summary, "**Nothing to do:**") {
		t.Errorf("with nothing changed: exit code %d\n%s\n%s", code, out, summary)
	}
}

// head is the commit of the checkout.
func (s site) head() string {
	s.tb.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, ".git", "refs", "heads", "main"))
	if err != nil {
		s.tb.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}
