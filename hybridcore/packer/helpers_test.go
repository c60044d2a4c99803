// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:06:40Z
// Spec: openspec/specs/packer/spec.md#requirement-owned-child-process
// Diagram: openspec/specs/packer/diagram.md#one-job

package packer

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/child"
)

// TestMain turns the test binary into a runner of its own when asked to, so
// that a test can kill it in the middle of a build.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PACKER_TEST_RUNNER"); dir != "" {
		os.Exit(runnerMain(dir))
	}
	os.Exit(m.Run())
}

// runnerMain builds the stage in dir/stage and never gets to its end.
func runnerMain(dir string) int {
	tool := Tool{Path: os.Getenv("PACKER_TEST_BINARY"), Version: "test"}
	out, err := tool.Build(context.Background(), Job{
		Dir: filepath.Join(dir, "stage"), Scratch: filepath.Join(dir, "s"),
		Manifest: filepath.Join(dir, "manifest.json"), Env: os.Environ(),
	})
	fmt.Println(out.Status, err)
	return 1
}

// realPacker is the Packer that `make tools` provides.
func realPacker(t *testing.T) Tool {
	t.Helper()
	cache := os.Getenv("PACKER_HYBRID_CACHE")
	if cache == "" {
		root, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(root, "packer-hybrid")
	}
	tool, err := Find(t.Context(), []string{"packer", filepath.Join(cache, "bin", "packer")}, "1.10.0")
	if err != nil {
		t.Fatalf("no packer to test with: %v\nrun: make tools", err)
	}
	tool.PluginDirs = []string{filepath.Join(cache, "plugins")}
	tool.Grace = 5 * time.Second
	return tool
}

// shortDir is a temporary directory whose path is short enough for sockets.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ph") //nolint:usetesting // t.TempDir() is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// nullBuild is a template that runs shell code on this machine.
func nullBuild(script, more string) string {
	return fmt.Sprintf(`
variable "manifest" { type = string }
variable "password" {
  type      = string
  sensitive = true
  default   = ""
}
source "null" "linux" { communicator = "none" }
build {
  sources = ["source.null.linux"]
  provisioner "shell-local" {
    inline = [<<-EOT
      %s
    EOT
    ]
  }
  post-processor "manifest" { output = var.manifest }
}
%s`, script, more)
}

// stage makes a job from a template.
func stage(t *testing.T, template string) Job {
	t.Helper()
	dir := shortDir(t)
	job := Job{
		Dir: filepath.Join(dir, "stage"), Scratch: filepath.Join(dir, "s"), Source: "null.linux",
		Manifest: filepath.Join(dir, "manifest.json"), Env: os.Environ(),
	}
	job.Secrets = []string{"PKR_VAR_manifest=" + job.Manifest}
	if err := os.MkdirAll(job.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(job.Dir, "build.pkr.hcl"), template)
	return job
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// waitFor polls until the file exists and returns what it holds.
func waitFor(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
			return strings.TrimSpace(string(data))
		}
	}
	t.Fatalf("%s did not appear within 10 s", path)
	return ""
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// noneLeft fails when a process of the job lives on.
func noneLeft(t *testing.T, job Job) {
	t.Helper()
	left := child.Survivors(-1, scratch(job.Scratch).marker())
	for i := 0; i < 50 && len(left) > 0; i++ { // the last may just be ending
		time.Sleep(10 * time.Millisecond)
		left = child.Survivors(-1, scratch(job.Scratch).marker())
	}
	for _, p := range left {
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
		t.Errorf("process %d lives on: %q", p.PID, args)
	}
}

// script writes a stand-in for packer that shows one behaviour of a process.
func script(t *testing.T, job Job, body string) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(job.Dir), "packer")
	// Written by another process: a descriptor for writing that a fork of a
	// parallel test inherits would make the script "text file busy".
	cmd := exec.CommandContext(t.Context(), "install", "-m", "755", "/dev/stdin", path)
	cmd.Stdin = strings.NewReader("#!/bin/sh\n" + body + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// innerPacker is the process that Packer's panic wrapper started.
func innerPacker(t *testing.T, outer int) int {
	t.Helper()
	out, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", outer, outer))
	if err != nil || len(strings.Fields(string(out))) == 0 {
		// children of other threads are listed there
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", outer))
		for _, task := range tasks {
			more, _ := os.ReadFile(task)
			out = append(out, more...)
		}
	}
	fields := strings.Fields(string(out))
	if len(fields) != 1 {
		t.Fatalf("packer %d has the children %q", outer, fields)
	}
	return atoi(t, fields[0])
}

// outerOf finds the first process of a job once it has a child.
func outerOf(t *testing.T, job Job) int {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		found := child.Survivors(-1, scratch(job.Scratch).marker())
		for _, p := range found {
			if p.PID == p.Group && len(found) > 1 {
				time.Sleep(300 * time.Millisecond) // let the inner one reach the pipe
				return p.PID
			}
		}
	}
	t.Fatal("packer did not start its inner process")
	return 0
}

// killRunner starts a build in another process of ours and kills that process
// once the build has begun.
func killRunner(t *testing.T, job Job, packer string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "PACKER_TEST_RUNNER="+filepath.Dir(job.Dir), "PACKER_TEST_BINARY="+packer)
	// The runner's job has no variables: this one comes with a file that Packer loads by itself.
	write(t, filepath.Join(job.Dir, "a.auto.pkrvars.hcl"), fmt.Sprintf("manifest = %q\n", job.Manifest))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, filepath.Join(job.Dir, "begun"))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
}

func packersLeft(job Job) int {
	n := 0
	for _, p := range child.Survivors(-1, scratch(job.Scratch).marker()) {
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.PID)); err == nil && string(name) == "packer\n" {
			n++
		}
	}
	return n
}
