// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:29:35Z
// Spec: openspec/specs/sources/spec.md#requirement-exactly-the-pinned-commits
// Diagram: openspec/specs/sources/diagram.md#sync

// Package gittest makes repositories for tests.
package gittest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Upstream is a repository with a work tree.
type Upstream struct {
	TB  testing.TB
	Dir string // work tree
}

// New makes BASE/NAME.git's work tree with one commit and the tag v1.
func New(tb testing.TB, base, name string) *Upstream {
	tb.Helper()
	u := &Upstream{tb, filepath.Join(base, name+".git")}
	if err := os.MkdirAll(u.Dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	u.Git("init", "-q", "-b", "main", "--template=")
	Put(tb, filepath.Join(u.Dir, "README.md"), "# "+name+"\n")
	Put(tb, filepath.Join(u.Dir, "sub", "dir", "file.txt"), "text\r\nmore\n")
	Put(tb, filepath.Join(u.Dir, "sub.txt"), "sorts between\n")
	Put(tb, filepath.Join(u.Dir, "run.sh"), "#!/bin/sh\n")
	Put(tb, filepath.Join(u.Dir, ".gitattributes"), "*.txt text eol=crlf ident\n*.bin filter=lfs\n")
	Put(tb, filepath.Join(u.Dir, "big.bin"), "version https://git-lfs.github.com/spec/v1\n")
	if err := os.Chmod(filepath.Join(u.Dir, "run.sh"), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.Symlink("README.md", filepath.Join(u.Dir, "link")); err != nil {
		tb.Fatal(err)
	}
	u.Commit("first")
	u.Git("tag", "-a", "v1", "-m", "annotated")
	return u
}

// Git runs git in the work tree, and returns its answer.
func (u *Upstream) Git(args ...string) string {
	u.TB.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = u.Dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + u.Dir, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		u.TB.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// Commit commits everything and returns the commit.
func (u *Upstream) Commit(message string) string {
	u.TB.Helper()
	u.Git("add", "-A")
	u.Git("commit", "-q", "--no-verify", "--allow-empty", "-m", message)
	return u.Head()
}

// Head is the commit that is checked out.
func (u *Upstream) Head() string { return u.Git("rev-parse", "HEAD") }

// Put writes a file with its folders.
func Put(tb testing.TB, path, text string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		tb.Fatal(err)
	}
}
