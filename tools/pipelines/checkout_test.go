// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:57:34Z
// Spec: openspec/specs/repository/spec.md#requirement-whole-pipelines
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

//go:build pipelines

package pipelines_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// checkout is a clone of a repository of images, as init makes it.
type checkout struct {
	t   *testing.T
	dir string
}

// newCheckout is the project of init with files of this repository, without a
// commit yet.
func newCheckout(t *testing.T, files ...string) checkout {
	t.Helper()
	c := checkout{t, filepath.Join(t.TempDir(), "images")}
	if out, err := exec.CommandContext(t.Context(), program, "init", c.dir).CombinedOutput(); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	c.asksNobody()
	for _, file := range files {
		to := filepath.Join(c.dir, file)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		copyFile(t, filepath.Join(repository, file), to)
	}
	c.git("init", "-q", "-b", "main", "--template=")
	return c
}

// asksNobody takes from the night's look what needs the network.
func (c checkout) asksNobody() {
	c.t.Helper()
	file := filepath.Join(c.dir, "packer-hybrid.hcl")
	text, err := os.ReadFile(file)
	if err != nil {
		c.t.Fatal(err)
	}
	changed := strings.Replace(string(text), "drift --live --upstream", "drift --live", 1)
	if changed == string(text) {
		c.t.Fatal("the schedule has no look at drift")
	}
	if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func (c checkout) git(args ...string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), "git", args...)
	cmd.Dir = c.dir
	who := []string{
		"GIT_AUTHOR_NAME=Mara", "GIT_AUTHOR_EMAIL=mara@example.com", "GIT_COMMITTER_NAME=Mara",
		"GIT_COMMITTER_EMAIL=mara@example.com",
	}
	cmd.Env = append(os.Environ(), append(who, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (c checkout) rev(name string) string {
	c.t.Helper()
	return c.git("rev-parse", "--verify", name+"^{commit}")
}

func (c checkout) commit(message string) string {
	c.t.Helper()
	c.git("add", "-A")
	c.git("commit", "-q", "-m", message)
	return c.rev("HEAD")
}

func (c checkout) read(name string) string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

func (c checkout) write(name, text string) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// edit replaces what a file has exactly once.
func (c checkout) edit(name, old, now string) {
	c.t.Helper()
	text := c.read(name)
	if n := strings.Count(text, old); n != 1 {
		c.t.Fatalf("%s holds %q %d times", name, old, n)
	}
	c.write(name, strings.Replace(text, old, now, 1))
}

// working starts a command, and waits until it says that it is at work. said is
// what it said so far; wait waits for its end.
func working(t *testing.T, cmd *exec.Cmd, says string) (said func() []byte, wait func() error) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	said = func() []byte { text, _ := os.ReadFile(out.Name()); return text }
	for deadline := time.Now().Add(3 * time.Minute); !bytes.Contains(said(), []byte(says)); {
		select {
		case err = <-ended:
		case <-time.After(20 * time.Millisecond):
			if time.Now().Before(deadline) {
				continue
			}
			_ = cmd.Process.Kill()
			err = <-ended
		}
		t.Fatalf("it did not say %q: %v\n%s", says, err, said())
	}
	return said, func() error { return <-ended }
}

// killBelow kills all processes below one, but not those with the name to spare.
func killBelow(t *testing.T, pid int, spare string) {
	t.Helper()
	for _, pid := range below(t, pid) {
		if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); string(name) != spare+"\n" {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
	}
}

// below are the processes below one, the deepest first.
func below(t *testing.T, pid int) []int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // the thread may have ended
		for word := range strings.FieldsSeq(string(text)) {
			child, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			all = append(append(all, below(t, child)...), child)
		}
	}
	return all
}
