// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:45:38Z
// Spec: openspec/specs/plan/spec.md#requirement-difference-to-a-commit
// Diagram: openspec/specs/plan/diagram.md#two-trees

package git

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
)

func tree(t *testing.T, root, rev string, paths ...string) fs.FS {
	t.Helper()
	repo, err := Open(root, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	commit, err := repo.Resolve(t.Context(), rev)
	if err != nil {
		t.Fatal(err)
	}
	got, err := repo.Tree(t.Context(), commit, paths...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestCommitTree(t *testing.T) {
	u := gittest.New(t, t.TempDir(), "x")
	gittest.Put(t, filepath.Join(u.Dir, "sub", "dir", "file.txt"), "changed in the work tree\n")
	got := tree(t, u.Dir, "v1", "sub", "link", "README.md", "run.sh", "missing")
	if err := fstest.TestFS(got, "sub/dir/file.txt", "README.md", "run.sh"); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]string{"sub/dir/file.txt": "text\nmore\n", "link": "# x\n"} {
		if text, err := fs.ReadFile(got, path); err != nil || string(text) != want {
			t.Errorf("%s: %q, %v; want %q, as committed and unfiltered", path, text, err, want)
		}
	}
	if _, err := fs.Stat(got, "sub.txt"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a path that was not asked for: %v", err)
	}
	below := tree(t, filepath.Join(u.Dir, "sub"), "HEAD", "dir")
	if _, err := fs.Stat(below, "dir/file.txt"); err != nil {
		t.Errorf("a project in a folder of the repository: %v", err)
	}
}

func TestCommitLinksStayInside(t *testing.T) {
	u := gittest.New(t, t.TempDir(), "x")
	links := map[string]string{
		"a/up": "../README.md", "a/self": "self", "a/out": "../../x", "a/abs": "/etc/passwd", "a/dir": "b",
		"a/b/deep": "../file", "a/gone": "nothing",
	}
	gittest.Put(t, filepath.Join(u.Dir, "a", "file"), "f")
	gittest.Put(t, filepath.Join(u.Dir, "a", "b", "x"), "x")
	for name, target := range links {
		if err := os.Symlink(target, filepath.Join(u.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	u.Commit("links")
	whole := tree(t, u.Dir, "HEAD", "a", "README.md")
	sub, err := fs.Sub(whole, "a")
	if err != nil {
		t.Fatal(err)
	}
	for path, ok := range map[string]bool{
		"a/up": true, "a/self": false, "a/out": false, "a/abs": false, "a/dir/x": true,
		"a/b/deep": true, "a/gone": false, "a/dir/../file": false,
	} {
		if _, err := fs.ReadFile(whole, path); (err == nil) != ok {
			t.Errorf("%s: %v, readable should be %v", path, err, ok)
		}
	}
	if _, err := fs.ReadFile(sub, "up"); err == nil {
		t.Error("a link leads out of a sub-tree")
	}
	if text, err := fs.ReadFile(sub, "dir/deep"); err != nil || string(text) != "f" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestResolve(t *testing.T) {
	u := gittest.New(t, t.TempDir(), "x")
	fork := u.Head()
	u.Git("checkout", "-q", "-b", "feature/a")
	own := u.Commit("own")
	u.Git("checkout", "-q", "main")
	u.Commit("theirs")
	u.Git("checkout", "-q", "feature/a")
	u.Git("branch", strings.Repeat("a", 40), "main") // a name like a commit's
	repo, err := Open(u.Dir, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	for rev, want := range map[string]string{
		"HEAD": own, "main...": fork, "HEAD~1": fork, "v1": fork, own: own,
		own[:12]: own, "feature/a": own,
	} {
		if got, err := repo.Resolve(t.Context(), rev); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", rev, got, err, want)
		}
	}
	for _, rev := range []string{
		"", "-x", "--upload-pack=x", "a..b", "a b", "@{-1}", "$(id)", "x:y", "a\nb", "...",
		strings.Repeat("a", 201),
	} {
		if _, err := repo.Resolve(t.Context(), rev); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("%q: %v, want a usage error", rev, err)
		}
	}
	if _, err := repo.Resolve(t.Context(), "nothing"); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), "git fetch") {
		t.Errorf("a missing commit: %v", err)
	}
	if _, err := Open(t.TempDir(), nil); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("outside a repository: %v", err)
	}
}

// TestCommitStartsNothing plants every program that a repository's
// configuration can name.
func TestCommitStartsNothing(t *testing.T) {
	u := gittest.New(t, t.TempDir(), "x")
	gittest.Put(t, filepath.Join(u.Dir, ".gitattributes"), "* filter=evil diff=evil merge=evil text\n")
	u.Commit("attributes")
	proof := filepath.Join(t.TempDir(), "started")
	program := filepath.Join(t.TempDir(), "program")
	gittest.Put(t, program, "#!/bin/sh\necho \"$0 $*\" >> "+proof+"\n")
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"core.fsmonitor", "core.sshCommand", "core.pager", "core.askPass", "core.gitProxy", "diff.external",
		"diff.evil.command", "diff.evil.textconv",
		"filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "credential.helper", "core.alternateRefsCommand",
		"gpg.program",
		"remote.origin.uploadpack", "alias.rev-parse", "alias.ls-tree", "alias.cat-file",
	} {
		u.Git("config", name, program)
	}
	u.Git("config", "remote.origin.url", "ext::"+program)
	u.Git("config", "remote.origin.promisor", "true")
	u.Git("config", "protocol.ext.allow", "always")
	u.Git("config", "extensions.partialClone", "origin")
	for _, hook := range []string{"post-checkout", "reference-transaction", "post-index-change"} {
		if err := os.MkdirAll(filepath.Join(u.Dir, ".git", "hooks"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(program, filepath.Join(u.Dir, ".git", "hooks", hook)); err != nil {
			t.Fatal(err)
		}
	}
	tree(t, u.Dir, "HEAD...", "README.md")

	// An object that is missing is not fetched.
	id := u.Git("-c", "core.fsmonitor=false", "rev-parse", "HEAD:README.md")
	if err := os.Remove(filepath.Join(u.Dir, ".git", "objects", id[:2], id[2:])); err != nil {
		t.Fatal(err)
	}
	repo, err := Open(u.Dir, os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := repo.Tree(t.Context(), "HEAD", "README.md"); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("a missing object: %v", err)
	}
	if text, err := os.ReadFile(proof); err == nil {
		t.Errorf("programs were started:\n%s", text)
	}
}

func FuzzCommitOutput(f *testing.F) {
	id := strings.Repeat("a", 40)
	f.Add([]byte("100644 blob "+id+"\ta/b\x00120000 blob "+id+"\tl\x00160000 commit "+id+"\ts\x00"),
		[]byte(id+" blob 3\nabc\n"))
	f.Add([]byte("100644 blob "+id+"\t../x\x00"), []byte(id+" missing\n"))
	f.Add([]byte("100644 blob "+id+"\ta\x00100644 blob "+id+"\ta/b\x00"), []byte(id+" blob 99999999999999999999\n"))
	f.Fuzz(func(t *testing.T, list, answer []byte) {
		entries, err := parseList(list, false)
		if err != nil {
			return
		}
		folder := newFolder()
		for _, e := range entries {
			content, rest, err := nextObject(answer, e.ID)
			if err != nil {
				content = []byte(e.Path)
			} else if len(content)+len(rest) >= len(answer) {
				t.Fatalf("%d + %d bytes out of %d", len(content), len(rest), len(answer))
			}
			folder.add(e.Path, e.Mode, content)
		}
		_ = fs.WalkDir(folder, ".", func(path string, _ fs.DirEntry, err error) error {
			if !fs.ValidPath(path) || strings.EqualFold(filepath.Base(path), ".git") {
				t.Errorf("path %q", path)
			}
			_, _ = fs.ReadFile(folder, path) // must end
			return err
		})
	})
}
