// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:32:30Z
// Spec: openspec/specs/sources/spec.md#requirement-checks-without-git
// Diagram: openspec/specs/sources/diagram.md#check-before-a-build

package sources

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestInspect(t *testing.T) {
	t.Parallel()
	write := func(name, text string) func(*testing.T, *bed) {
		return func(t *testing.T, b *bed) { t.Helper(); gittest.Put(t, b.path(filepath.FromSlash(name)), text) }
	}
	tests := map[string]struct {
		change   func(*testing.T, *bed)
		state    State
		want     string
		changes  []Change
		harmless bool
	}{
		"missing": {
			func(t *testing.T, b *bed) { t.Helper(); check(t, os.RemoveAll(b.path())) }, Missing, "is missing",
			nil, true,
		},
		"changed": {
			write("sub/dir/file.txt", "text\nmorE\n"), Dirty, "changed sub/dir/file.txt",
			[]Change{{"changed", "sub/dir/file.txt"}},
			false,
		},
		"longer": {
			write("README.md", "longer than it was, by far\n"), Dirty, "changed README.md",
			[]Change{{"changed", "README.md"}},
			false,
		},
		"new":        {write("sub/x", ""), Dirty, "new sub/x", []Change{{"new", "sub/x"}}, false},
		"new folder": {write("build/out/x", ""), Dirty, "new build/", []Change{{"new", "build/"}}, false},
		"nested git": {write("sub/.git/config", ""), Dirty, "new sub/.git/", []Change{{"new", "sub/.git/"}}, false},
		"ignored": {func(t *testing.T, b *bed) {
			t.Helper()
			gittest.Put(t, b.path(".git", "info", "exclude"), "*\n")
			gittest.Put(t, b.path("hidden"), "")
		}, Dirty, "new hidden", []Change{{"new", "hidden"}}, false},
		"deleted": {
			func(t *testing.T, b *bed) { t.Helper(); check(t, os.Remove(b.path("run.sh"))) }, Dirty, "deleted run.sh",
			[]Change{{"deleted", "run.sh"}},
			false,
		},
		"mode": {
			func(t *testing.T, b *bed) { t.Helper(); check(t, os.Chmod(b.path("run.sh"), 0o644)) }, Dirty, "mode run.sh",
			[]Change{{"mode", "run.sh"}},
			false,
		},
		"pipe": {func(t *testing.T, b *bed) {
			t.Helper()
			check(t, errors.Join(os.Remove(b.path("README.md")), syscall.Mkfifo(b.path("README.md"), 0o644)))
		}, Dirty, "changed README.md", []Change{{"changed", "README.md"}}, false},
		"link target": {func(t *testing.T, b *bed) {
			t.Helper()
			check(t, errors.Join(os.Remove(b.path("link")), os.Symlink("RUNDME.md", b.path("link"))))
		}, Dirty, "changed link", []Change{{"changed", "link"}}, false},
		"folder to link": {func(t *testing.T, b *bed) {
			t.Helper()
			check(t, errors.Join(os.Rename(b.path("sub"), filepath.Join(b.base, "sub")),
				os.Symlink(filepath.Join(b.base, "sub"), b.path("sub"))))
		}, Dirty, "new sub", []Change{{"new", "sub"}, {"deleted", "sub/dir/file.txt"}}, false},
		"empty folder": {
			func(t *testing.T, b *bed) { t.Helper(); check(t, os.Mkdir(b.path("empty"), 0o755)) }, Pinned, "",
			nil, true,
		},
		"branch": {write(".git/HEAD", "ref: refs/heads/main\n"), WrongCommit, "is at refs/heads/main", nil, false},
		"no HEAD": {
			func(t *testing.T, b *bed) { t.Helper(); check(t, os.Remove(b.path(".git", "HEAD"))) }, Unverified,
			"is not a checkout", nil, false,
		},
		"forged list": {forge, Unverified, "the list of files hashes to", nil, false},
		"forged commit": {
			write(".git/packer-hybrid/commit", "tree "+someCommit+"\n"), Unverified, "not that of the commit",
			nil, false,
		},
		"bad list": {
			write(".git/packer-hybrid/files", "100644 blob "+someCommit+" 1\t../x\x00"), Unverified,
			"the list of files holds", nil, false,
		},
		"no list": {
			func(t *testing.T, b *bed) { t.Helper(); check(t, os.RemoveAll(b.path(".git", ownFolder))) }, Unverified,
			"is not a checkout", nil, false,
		},
		"git is a file": {func(t *testing.T, b *bed) {
			t.Helper()
			check(t, os.RemoveAll(b.path(".git")))
			gittest.Put(t, b.path(".git"), "gitdir: /etc\n")
		}, Unverified, "is not a checkout", nil, false},
		"link": {func(t *testing.T, b *bed) {
			t.Helper()
			check(t, errors.Join(os.Rename(b.path(), filepath.Join(b.base, "moved")),
				os.Symlink(filepath.Join(b.base, "moved"), b.path())))
		}, Link, "symbolic link", nil, false},
		"root link": {func(t *testing.T, b *bed) {
			t.Helper()
			check(t, errors.Join(os.RemoveAll(b.path()), os.Symlink("/", b.path())))
		}, Link, "symbolic link", nil, false},
		"remote": {func(t *testing.T, b *bed) {
			t.Helper()
			(&gittest.Upstream{TB: t, Dir: b.path()}).Git("remote", "set-url", "origin", "https://evil.example/x")
		}, WrongRemote, `has the origin "https://evil.example/x"`, nil, false},
		"unknown folder": {
			func(t *testing.T, b *bed) { t.Helper(); gittest.Put(t, filepath.Join(b.root, Dir, "other", "x"), "") },
			Pinned, "sources/other is pinned by nothing", nil, false,
		},
		"plain file": {
			func(t *testing.T, b *bed) { t.Helper(); gittest.Put(t, filepath.Join(b.root, Dir, "README.md"), "") }, Pinned,
			"", nil, true,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.mustSync(t)
			tt.change(t, b)
			st, findings := b.state(t)
			if st.State != tt.state || !strings.Contains(findings, tt.want) {
				t.Errorf("state %s\n%s\nwant %s with %q", st.State, findings, tt.state, tt.want)
			}
			if diff := cmp.Diff(tt.changes, st.Changes); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			blocked := hybridcore.Blocked(Check(b.root))
			if (blocked == hybridcore.NotBlocked) != tt.harmless || (!tt.harmless && blocked != hybridcore.BlockedByRule) {
				t.Errorf("blocked: %v", blocked)
			}
			if tt.state == Missing && len(Check(b.root)) != 0 {
				t.Error("a missing source is a finding of the gate")
			}
		})
	}
}

// forge changes a file, and the list that sync wrote so that it fits.
func forge(t *testing.T, b *bed) {
	t.Helper()
	gittest.Put(t, b.path("README.md"), "# y\n")
	copied := &gittest.Upstream{TB: t, Dir: b.path()}
	id := copied.Git("hash-object", "README.md")
	list, err := os.ReadFile(b.path(".git", ownFolder, listFile))
	check(t, err)
	old := copied.Git("rev-parse", "HEAD:README.md")
	gittest.Put(t, b.path(".git", ownFolder, listFile), strings.Replace(string(list), old, id, 1))
}

// TestHostileConfiguration plants every program that a checkout's own
// configuration can name, and checks that plain git would run one of them.
func TestHostileConfiguration(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.mustSync(t)
	marker := filepath.Join(b.base, "pwned")
	copied := &gittest.Upstream{TB: t, Dir: b.path()}
	for _, key := range []string{
		"core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "filter.x.clean", "filter.x.smudge",
		"filter.x.process",
		"diff.external", "credential.helper", "uploadpack.packObjectsHook", "core.gitProxy", "alias.status",
	} {
		copied.Git("config", key, "touch "+marker+"; false")
	}
	copied.Git("config", "core.hooksPath", b.base)
	gittest.Put(t, b.path(".git", "info", "attributes"), "* filter=x\n")
	gittest.Put(t, filepath.Join(b.base, "post-checkout"), "#!/bin/sh\ntouch "+marker+"\n")
	check(t, os.Chmod(filepath.Join(b.base, "post-checkout"), 0o755))

	st, findings := b.state(t)
	if st.State != Pinned || !strings.Contains(findings, "sync did not write") ||
		strings.Contains(findings, "blocking=true") {
		t.Errorf("state %s\n%s", st.State, findings)
	}
	b.mustSync(t)
	b.sync.Force = true
	gittest.Put(t, b.path("README.md"), "changed\n")
	b.state(t)
	if _, err := b.sync.Upstream(t.Context()); err != nil {
		t.Error(err)
	}
	if r := b.mustSync(t); !r[0].Fetched {
		t.Error("not replaced")
	}
	if _, err := os.Lstat(marker); err == nil {
		t.Fatal("a program of the checkout ran")
	}
	if st, findings := b.state(t); st.State != Pinned || findings != "" {
		t.Errorf("state %s\n%s", st.State, findings)
	}
	// The test can fail: git's own status does run it.
	copied.Git("config", "core.fsmonitor", "touch "+marker+"; false")
	copied.Git("status")
	if _, err := os.Lstat(marker); err != nil {
		t.Error("git status did not run the monitor; the test proves nothing")
	}
}

func TestManyChangesAreBounded(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.mustSync(t)
	for i := range 100 {
		gittest.Put(t, b.path("new"+strings.Repeat("x", i)), "")
	}
	if st, _ := b.state(t); len(st.Changes) != maxChanges {
		t.Errorf("%d changes, want %d", len(st.Changes), maxChanges)
	}
}

func TestUpstream(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	if got, err := b.sync.Upstream(t.Context()); err != nil || len(got) != 0 {
		t.Fatalf("findings %v, %v", got, err)
	}
	second := b.up.Commit("second")
	b.up.Git("tag", "-f", "-a", "v1", "-m", "moved")
	got, err := b.sync.Upstream(t.Context())
	if err != nil || len(got) != 1 || got[0].Got != second || !got[0].Blocking {
		t.Errorf("findings %v, %v", got, err)
	}
	b.up.Git("tag", "-d", "v1")
	got, err = b.sync.Upstream(t.Context())
	if err != nil || len(got) != 1 || !strings.Contains(got[0].Message, "is gone") {
		t.Errorf("findings %v, %v", got, err)
	}
}

func TestSourcesFolderIsALink(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	inside := filepath.Join(b.root, "elsewhere")
	check(t, errors.Join(os.Rename(filepath.Join(b.root, Dir), inside),
		os.Symlink("elsewhere", filepath.Join(b.root, Dir))))
	if _, err := b.sync.Sync(t.Context(), nil); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("sync: %v", err)
	}
	if got := Check(b.root); hybridcore.Blocked(got) != hybridcore.BlockedByRule {
		t.Errorf("findings %v", got)
	}
}
