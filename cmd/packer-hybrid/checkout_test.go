// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:12:57Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
)

// canary stands in files outside of the checkout.
const canary = "canary-of-a-file-outside"

// command runs the program in a project, and returns what it says.
func (s site) command(environ []string, args ...string) (int, string) {
	s.tb.Helper()
	var out, errs bytes.Buffer
	code := run(s.tb.Context(), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, append(args, "-C", s.dir),
		environ)
	return code, out.String() + errs.String()
}

// door is a checkout in a job, with the job's token in its environment.
type door struct {
	site

	environ          []string
	calls            func() int // requests that were made
	repository, head string
}

func onGitHub(t *testing.T) door {
	t.Helper()
	h := newHosted(t, nil)
	environ := []string{
		"GITHUB_ACTIONS=true", "GITHUB_TOKEN=" + jobToken, "GITHUB_API_URL=" + h.hub.URL(),
		"GITHUB_REPOSITORY=o/r", "RUNNER_TEMP=" + h.temp,
	}
	return door{h.site, environ, func() int { return len(h.hub.Calls()) }, "o/r", h.head}
}

func onGitLab(t *testing.T) door {
	t.Helper()
	j := newLabJob(t, nil)
	var environ []string
	for name, value := range j.env {
		environ = append(environ, name+"="+value)
	}
	return door{j.site, environ, func() int { return len(j.hub.Calls()) }, "acme/golden/images", j.head}
}

// A commit that holds an outbox, or something else in its place, sends nothing
// with the job's token, on GitHub and on GitLab, and changes no file.
func TestFlushSendsNothingOfTheCheckout(t *testing.T) {
	t.Parallel()
	forged := func(system, repository, commit string) string {
		return fmt.Sprintf(`{"kind":"open","address":{"system":%q,"repository":%q,"commit":%q,"change":42,"run":"x","number":1,"attempt":1,"slot":"report"}}`+"\n"+
			`{"kind":"want","key":"comment","body":"forged"}`+"\n"+`{"kind":"want","key":"check/","check":{"key":"","name":"required","status":"completed","conclusion":"success"}}`+"\n"+canary,
			system, repository, commit)
	}
	for name, plant := range map[string]func(file, outside string) error{
		"file":          func(file, outside string) error { return os.Rename(outside+".copy", file) },
		"link":          func(file, outside string) error { return os.Symlink(outside, file) },
		"dangling link": func(file, outside string) error { return os.Symlink(outside+".new", file) },
		"pipe":          func(file, _ string) error { return syscall.Mkfifo(file, 0o600) },
		"folder is a link": func(file, outside string) error {
			run := filepath.Dir(file)
			if err := os.Remove(run); err != nil {
				return err
			}
			return os.Symlink(filepath.Dir(outside), run)
		},
		"logs is a link": func(file, outside string) error {
			logs := filepath.Dir(filepath.Dir(file))
			if err := os.RemoveAll(logs); err != nil {
				return err
			}
			return os.Symlink(filepath.Dir(filepath.Dir(outside)), logs)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for system, at := range map[string]door{"github": onGitHub(t), "gitlab": onGitLab(t)} {
				folder := filepath.Join(t.TempDir(), "e")
				outside, file := filepath.Join(folder, system+post.FileName), filepath.Join(at.dir, "logs", "e",
					system+post.FileName)
				if name == "link" || name == "dangling link" {
					outside = filepath.Join(folder, "a-file")
				}
				text := forged(system, at.repository, at.head)
				for _, dir := range []string{folder, filepath.Dir(file)} {
					if err := os.MkdirAll(dir, 0o700); err != nil {
						t.Fatal(err)
					}
				}
				for _, path := range []string{outside, outside + ".copy"} {
					if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if err := plant(file, outside); err != nil {
					t.Fatal(err)
				}
				code, log := at.command(at.environ, "flush", "--within", "5s")
				if code != 0 || at.calls() > 0 {
					t.Errorf("%s: exit code %d, %d requests\n%s", system, code, at.calls(), log)
				}
				if said := strings.Contains(log, "is not sent") ||
					strings.Contains(log, "is not looked at"); said == (name == "folder is a link") || strings.Contains(log, canary) {
					t.Errorf("%s: it says %q", system, log)
				}
				if kept, err := os.ReadFile(outside); err != nil || string(kept) != text {
					t.Errorf("%s: the file outside is %q, %v", system, kept, err)
				}
				if _, err := os.Lstat(outside + ".new"); !os.IsNotExist(err) {
					t.Errorf("%s: a file was made outside: %v", system, err)
				}
			}
		})
	}
}

// tree lists the files below a folder, and fails for what is no regular file or
// holds the canary.
func tree(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if !entry.Type().IsRegular() {
			t.Errorf("%s is a %s", rel, entry.Type())
			return err
		}
		if data, err := os.ReadFile(path); err != nil || bytes.Contains(data, []byte(canary)) {
			t.Errorf("%s holds what is outside, or cannot be read: %v", rel, err)
		}
		files = append(files, rel)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	slices.Sort(files)
	return files
}

// Whatever a commit has in place of artifacts/ and below it, what is uploaded is
// what the job wrote, and nothing outside is touched.
func TestUploadsHoldWhatTheJobWrote(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(dir, outside string) error{
		"link to a folder": func(dir, outside string) error { return os.Symlink(filepath.Dir(outside), dir) },
		"link to a file":   func(dir, outside string) error { return os.Symlink(outside, dir) },
		"pipe":             func(dir, _ string) error { return syscall.Mkfifo(dir, 0o600) },
		"links in it": func(dir, outside string) error {
			if err := os.MkdirAll(filepath.Join(dir, "parts", "x"), 0o755); err != nil {
				return err
			}
			for _, name := range []string{"environ", "plan.json", "findings.sarif", "parts/x/runs", "parts/link"} {
				if err := os.Symlink(outside, filepath.Join(dir, name)); err != nil {
					return err
				}
			}
			return os.WriteFile(filepath.Join(dir, "committed"), []byte(canary), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outside := filepath.Join(t.TempDir(), "plan.json")
			if err := os.WriteFile(outside, []byte(canary), 0o600); err != nil {
				t.Fatal(err)
			}
			h, j := newHosted(t, nil), newLabJob(t, nil)
			for _, dir := range []string{h.dir, j.dir} {
				if err := plant(filepath.Join(dir, process.ArtifactsDir), outside); err != nil {
					t.Fatal(err)
				}
			}
			if name != "pipe" { // which no commit can hold
				h.git("add", "--force", process.ArtifactsDir)
				j.git("add", "--force", process.ArtifactsDir)
			}
			if code, log := h.ci(t, "pull_request", fmt.Sprintf(pullJob, h.head)); code != 0 {
				t.Fatalf("GitHub: exit code %d\n%s", code, log)
			}
			if code, log := j.ci(t, nil); code != 0 {
				t.Fatalf("GitLab: exit code %d\n%s", code, log)
			}
			found, err := filepath.Glob(filepath.Join(h.temp, "packer-hybrid-upload-*"))
			if err != nil || len(found) != 1 {
				t.Fatalf("folders to upload: %q, %v", found, err)
			}
			want := []string{"answer-2.json", "answer-3.json", "answer.json", "findings.sarif", "plan-2.json", "plan.json"}
			for _, dir := range []string{found[0], filepath.Join(h.dir, process.ArtifactsDir)} {
				if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
					t.Errorf("%s: %s", dir, diff)
				}
			}
			want = []string{
				"answer-2.json", "answer-3.json", "answer.json", "gl-code-quality-report.json", "junit.xml",
				"packer-hybrid.env", "plan-2.json", "plan.json",
			}
			if diff := cmp.Diff(want, tree(t, filepath.Join(j.dir, process.ArtifactsDir))); diff != "" {
				t.Errorf("GitLab: %s", diff)
			}
			if kept, err := os.ReadFile(outside); err != nil || string(kept) != canary {
				t.Errorf("the file outside is %q, %v", kept, err)
			}
		})
	}
}

// Programs and remembered findings are never taken from the checkout.
func TestTheCacheIsNotInTheCheckout(t *testing.T) {
	t.Parallel()
	s := newCheckout(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "packer-hybrid")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		environ []string
		code    int
	}{
		"none":     {nil, 0},
		"relative": {[]string{"PACKER_HYBRID_CACHE=.cache/packer-hybrid"}, 0},
		"inside":   {[]string{"PACKER_HYBRID_CACHE=" + filepath.Join(s.dir, ".cache", "packer-hybrid"), "GITLAB_CI=true"}, 3},
		"home":     {[]string{"HOME=" + s.dir, "GITHUB_ACTIONS=true"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			ran := filepath.Join(t.TempDir(), "ran")
			bin := filepath.Join(s.dir, ".cache", "packer-hybrid", "bin")
			if err := os.MkdirAll(bin, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(bin, "packer"), []byte("#!/bin/sh\ntouch "+ran+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), program, "plan")
			cmd.Dir, cmd.Env = s.dir, append([]string{"PATH=/nowhere"}, c.environ...)
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("exit code %d, want %d (%v)\n%s", code, c.code, err, out)
			}
			if _, err := os.Lstat(ran); !os.IsNotExist(err) {
				t.Errorf("a program of the checkout was started\n%s", out)
			}
		})
	}
}

// A job, and a command at a terminal, go through no link in place of a folder
// of the project, and wait for no pipe.
func TestLinkedFoldersOfTheProject(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(dir, outside string) error{
		"links": func(dir, outside string) error {
			return errors.Join(os.Symlink(outside, filepath.Join(dir, "logs")), os.Symlink(outside, filepath.Join(dir, "state")))
		},
		"dangling links": func(dir, outside string) error {
			return errors.Join(os.Symlink(outside+".new", filepath.Join(dir, "logs")),
				os.Symlink(outside+".new", filepath.Join(dir, "state")))
		},
		"pipes": func(dir, _ string) error {
			return errors.Join(os.Mkdir(filepath.Join(dir, "logs"), 0o700),
				syscall.Mkfifo(filepath.Join(dir, "logs", "packer-hybrid.log"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, above, temp := newCheckout(t), t.TempDir(), t.TempDir()
			outside := filepath.Join(above, "outside")
			if err := errors.Join(os.Mkdir(outside, 0o755), plant(s.dir, outside)); err != nil {
				t.Fatal(err)
			}
			for door, environ := range map[string][]string{
				"terminal": {"PATH=" + os.Getenv("PATH")},
				"job": {
					"PATH=" + os.Getenv("PATH"), "GITHUB_ACTIONS=true", "RUNNER_TEMP=" + temp,
					"PACKER_HYBRID_STATE=" + filepath.Join(temp, "state"),
				},
			} {
				done := make(chan int, 1)
				go func() {
					code, _ := s.command(environ, "reap", "--dry-run", "--env", "lab")
					done <- code
				}()
				select {
				case code := <-done:
					if (code == 0) != (door == "job") {
						t.Errorf("%s: exit code %d", door, code)
					}
				case <-time.After(2 * time.Minute):
					t.Fatalf("%s: it waits for the other end of a pipe", door)
				}
			}
			if all, err := os.ReadDir(above); err != nil || len(all) != 1 {
				t.Errorf("beside are %v, %v", all, err)
			}
			if all, err := os.ReadDir(outside); err != nil || len(all) > 0 {
				t.Errorf("outside are %v, %v", all, err)
			}
			if _, err := os.Lstat(filepath.Join(temp, "packer-hybrid", "logs", "packer-hybrid.log")); err != nil {
				t.Errorf("the job's log: %v", err)
			}
		})
	}
}
