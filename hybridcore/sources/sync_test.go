// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:29:35Z
// Spec: openspec/specs/sources/spec.md#requirement-exactly-the-pinned-commits
// Diagram: openspec/specs/sources/diagram.md#sync

package sources

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
)

func TestSync(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	marker := filepath.Join(b.root, "pwned")
	b.sync.Environ = append(b.sync.Environ,
		"GIT_DIR=/nowhere", "GIT_SSH_COMMAND=touch "+marker, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.fsmonitor",
		"GIT_CONFIG_VALUE_0=touch "+marker,
		"GIT_TEMPLATE_DIR=/etc", "GIT_ASKPASS=touch "+marker, "GIT_ALLOW_PROTOCOL=ext", "GIT_EXEC_PATH=/nowhere",
		"GIT_TRACE="+marker,
	)
	results := b.mustSync(t)
	if r := results[0]; !r.Fetched || r.Bytes == 0 || r.Name != "x" {
		t.Errorf("result %+v", r)
	}
	noLeftovers(t, b.root, "x")
	if st, findings := b.state(t); st.State != Pinned || findings != "" {
		t.Errorf("state %+v\n%s", st, findings)
	}
	for name, want := range map[string]string{
		"sub/dir/file.txt": "text\nmore\n", // as stored, whatever .gitattributes ask for
		"sub.txt":          "sorts between\n",
		"big.bin":          "version https://git-lfs.github.com/spec/v1\n",
	} {
		if got, err := os.ReadFile(b.path(filepath.FromSlash(name))); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := os.Lstat(marker); err == nil {
		t.Error("git listened to the environment")
	}
	// Plain git agrees, shows one commit, and knows where it comes from.
	copied := &gittest.Upstream{TB: t, Dir: b.path()}
	if out := copied.Git("status", "--porcelain", "--ignored"); out != "" {
		t.Errorf("git status: %s", out)
	}
	if out := copied.Git("log", "--format=%H %D"); !strings.HasPrefix(out, b.up.Head()) ||
		!strings.HasSuffix(out, "HEAD, tag: v1") || strings.Contains(out, "\n") {
		t.Errorf("git log: %s", out)
	}
	if out := copied.Git("remote", "get-url", "origin"); out != b.host.URL+"/x.git" {
		t.Errorf("origin: %s", out)
	}
	// Nothing to do starts nothing.
	b.sync.Git = "/nowhere/git"
	if again := b.mustSync(t); again[0].Fetched {
		t.Errorf("again: %+v", again[0])
	}
}

func TestSyncMovesThePin(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.mustSync(t)
	gittest.Put(t, filepath.Join(b.up.Dir, "README.md"), "second\n")
	second := b.up.Commit("second")
	b.pin(t, second, "")
	if st, findings := b.state(t); st.State != WrongCommit || !strings.Contains(findings, "blocking=true") {
		t.Errorf("state %+v\n%s", st, findings)
	}

	// Changes are refused by name, and kept.
	gittest.Put(t, b.path("README.md"), "mine\n")
	gittest.Put(t, b.path("notes"), "mine\n")
	_, err := b.sync.Sync(t.Context(), nil)
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), "changed README.md, new notes") {
		t.Errorf("error %v", err)
	}
	if got, _ := os.ReadFile(b.path("notes")); string(got) != "mine\n" {
		t.Error("the user's file is gone")
	}
	noLeftovers(t, b.root, "x")

	b.sync.Force = true
	b.mustSync(t)
	if st, findings := b.state(t); st.State != Pinned || findings != "" {
		t.Errorf("state %+v\n%s", st, findings)
	}
	// Force repairs a checkout at its pin, too, and leaves a clean one alone.
	gittest.Put(t, b.path("README.md"), "mine\n")
	if r := b.mustSync(t); !r[0].Fetched {
		t.Error("the changed checkout was left")
	}
	if r := b.mustSync(t); r[0].Fetched {
		t.Error("the clean checkout was fetched again")
	}
	noLeftovers(t, b.root, "x")
}

func TestSyncRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change  func(*testing.T, *bed)
		want    string
		code    int
		present []string
	}{
		"moved tag": {func(t *testing.T, b *bed) {
			t.Helper()
			first := b.up.Head()
			b.up.Commit("second")
			b.up.Git("tag", "-f", "v1")
			b.pin(t, first, "v1")
		}, "the tag v1 points at", hybridcore.ExitBlocked, nil},
		"tag gone": {
			func(_ *testing.T, b *bed) { b.up.Git("tag", "-d", "v1") }, "refs/tags/v1",
			hybridcore.ExitFailed, nil,
		},
		"unknown commit": {
			func(t *testing.T, b *bed) { t.Helper(); b.pin(t, someCommit, "") }, someCommit,
			hybridcore.ExitFailed, nil,
		},
		"untrusted server": {
			func(_ *testing.T, b *bed) { b.sync.Environ = os.Environ() }, "certificate",
			hybridcore.ExitFailed, nil,
		},
		"no repository": {func(_ *testing.T, b *bed) { _ = os.RemoveAll(b.up.Dir) }, "fetching", hybridcore.ExitFailed, nil},
		"no git": {
			func(_ *testing.T, b *bed) { b.sync.Git = "no-such-git" }, "git is not installed",
			hybridcore.ExitBlocked, nil,
		},
		"too many bytes": {
			func(_ *testing.T, b *bed) { b.sync.Limits.Wire = 10 }, "the server sent more than",
			hybridcore.ExitBlocked, nil,
		},
		"too many files": {func(_ *testing.T, b *bed) { b.sync.Limits.Files = 3 }, "at most 3", hybridcore.ExitBlocked, nil},
		"too much disk":  {func(_ *testing.T, b *bed) { b.sync.Limits.Disk = 3 }, "are written", hybridcore.ExitBlocked, nil},
		"link": {func(t *testing.T, b *bed) {
			t.Helper()
			if err := os.Symlink("/", b.path()); err != nil {
				t.Fatal(err)
			}
			b.sync.Force = true
		}, "symbolic link", hybridcore.ExitBlocked, []string{"x"}},
		"foreign folder": {
			func(t *testing.T, b *bed) { t.Helper(); gittest.Put(t, b.path("file"), "mine") }, "is not a checkout",
			hybridcore.ExitBlocked,
			[]string{"x"},
		},
		"git is a file": {
			func(t *testing.T, b *bed) { t.Helper(); gittest.Put(t, b.path(".git"), "gitdir: /etc") },
			"is not a checkout", hybridcore.ExitBlocked,
			[]string{"x"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			tt.change(t, b)
			results, err := b.sync.Sync(t.Context(), nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) || hybridcore.ExitCode(err) != tt.code {
				t.Errorf("error %v (exit %d)\nwant %q (exit %d)", err, hybridcore.ExitCode(err), tt.want, tt.code)
			}
			if len(results) != 1 || results[0].Error == "" || results[0].Fetched {
				t.Errorf("results %+v", results)
			}
			noLeftovers(t, b.root, tt.present...)
		})
	}
}

func TestSyncUnknownName(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	_, err := b.sync.Sync(t.Context(), []string{"y"})
	if hybridcore.ExitCode(err) != hybridcore.ExitUsage || !strings.Contains(err.Error(), "it pins: x") {
		t.Errorf("error %v", err)
	}
}

func TestSyncFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer other.Close()
	handler := b.host.Config.Handler
	redirect := other.URL
	b.host.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, redirect+r.URL.Path+"?"+r.URL.RawQuery, http.StatusMovedPermanently)
	})
	if _, err := b.sync.Sync(t.Context(), nil); err == nil || asked.Load() != 0 {
		t.Errorf("error %v, the other host was asked %d times", err, asked.Load())
	}
	noLeftovers(t, b.root)
	b.host.Config.Handler = handler
	b.mustSync(t)
}

func TestSyncEndsSilentServer(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	hang := make(chan struct{})
	defer close(hang)
	b.host.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	b.sync.Limits.Time = 500 * time.Millisecond
	start := time.Now()
	_, err := b.sync.Sync(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), "longer than 500ms") || time.Since(start) > 20*time.Second {
		t.Errorf("error %v after %s", err, time.Since(start))
	}
	noLeftovers(t, b.root)

	b.sync.Limits.Time = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := b.sync.Sync(ctx, nil); err == nil {
		t.Error("a cancelled sync succeeded")
	}
	noLeftovers(t, b.root)
}

// TestSyncIgnoresSubmodules has a submodule whose URL and update are programs.
func TestSyncIgnoresSubmodules(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	marker := filepath.Join(b.root, "pwned")
	gittest.Put(t, filepath.Join(b.up.Dir, ".gitmodules"), "[submodule \"m\"]\n\tpath = m\n\turl = ../m\n")
	b.up.Git("update-index", "--add", "--cacheinfo", "160000,"+someCommit+",m")
	if err := os.MkdirAll(filepath.Join(b.up.Dir, "m", ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	b.up.Git("add", ".gitmodules")
	b.up.Git("commit", "-q", "-m", "submodule")
	b.pin(t, b.up.Head(), "")
	b.mustSync(t)
	if st, findings := b.state(t); st.State != Pinned {
		t.Errorf("state %+v\n%s", st, findings)
	}
	if entries, err := os.ReadDir(b.path("m")); err != nil || len(entries) != 0 {
		t.Errorf("the submodule holds %v, %v", entries, err)
	}

	// One that is an attack is refused by the check of what is transferred.
	gittest.Put(t, filepath.Join(b.up.Dir, ".gitmodules"),
		"[submodule \"m\"]\n\tpath = m\n\turl = --upload-pack=touch "+marker+"\n\tupdate = !touch "+marker+"\n")
	b.up.Git("add", ".gitmodules")
	b.up.Git("commit", "-q", "-m", "hostile")
	b.pin(t, b.up.Head(), "")
	if _, err := b.sync.Sync(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "gitmodules") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Lstat(marker); err == nil {
		t.Error("the submodule's program ran")
	}
	if st, _ := b.state(t); st.State != WrongCommit {
		t.Errorf("the former checkout is %s", st.State)
	}
}

func TestSyncFromMirrors(t *testing.T) {
	t.Parallel()
	mirror := t.TempDir()
	plain := gittest.New(t, mirror, "plain")
	owned := gittest.New(t, filepath.Join(mirror, "owner"), "owned")
	moved := gittest.New(t, filepath.Join(mirror, "build"), "moved")
	if err := os.MkdirAll(filepath.Join(mirror, "newowner+moved"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(moved.Dir, filepath.Join(mirror, "newowner+moved", "repo")); err != nil {
		t.Fatal(err)
	}
	moved.Dir = filepath.Join(mirror, "newowner+moved", "repo")
	lock := ""
	for name, u := range map[string]*gittest.Upstream{"plain": plain, "owned": owned, "moved": moved} {
		lock += "source \"" + name + "\" {\n  url = \"https://github.com/owner/" + name + ".git\"\n  tag = \"v1\"\n  " +
			"commit = \"" + u.Head() + "\"\n}\n"
	}
	root := project(t, lock)
	s := &Syncer{Root: root, Environ: os.Environ(), Mirror: mirror}
	results, err := s.Sync(t.Context(), nil)
	if err != nil || len(results) != 3 {
		t.Fatalf("results %+v, %v", results, err)
	}
	if got := Check(root); len(got) != 0 {
		t.Errorf("findings %v", got)
	}

	gittest.Put(t, filepath.Join(root, Dir, LockFile),
		lock+"source \"none\" {\n  url = \"https://github.com/owner/none.git\"\n  commit = \""+someCommit+"\"\n}\n")
	_, err = s.Sync(t.Context(), nil)
	if err == nil || !strings.Contains(err.Error(), filepath.Join(mirror, "owner+none", "repo")) {
		t.Errorf("error %v", err)
	}
	for _, bad := range []string{"http://127.0.0.1:1", "ext::sh://x", "file:///etc"} {
		s.Mirror = bad
		if _, err := s.Sync(t.Context(), []string{"none"}); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestSyncFromLyingMirror has a mirror whose branch and tag have the right
// names and another content.
func TestSyncFromLyingMirror(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	mirror := t.TempDir()
	evil := gittest.New(t, mirror, "x")
	gittest.Put(t, filepath.Join(evil.Dir, "README.md"), "evil\n")
	evil.Commit("evil")
	evil.Git("tag", "-f", "v1")
	b.sync.Mirror = mirror
	if _, err := b.sync.Sync(t.Context(), nil); err == nil {
		t.Error("the mirror was believed")
	}
	noLeftovers(t, b.root)
}

func TestSyncTwiceAtOnce(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	var group sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		group.Go(func() {
			s := *b.sync
			_, errs[i] = s.Sync(t.Context(), nil)
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	noLeftovers(t, b.root, "x")
	if st, _ := b.state(t); st.State != Pinned {
		t.Errorf("state %+v", st)
	}
}

// TestKilledSync kills a sync at many moments, with its git or without it:
// every folder is whole or not there, and the next sync succeeds.
func TestKilledSync(t *testing.T) {
	t.Parallel()
	mirror := t.TempDir()
	u := gittest.New(t, mirror, "x")
	for i := range 200 {
		name := strings.Repeat("n", i%50+1) + string(rune('a'+i/26))
		gittest.Put(t, filepath.Join(u.Dir, "many", string(rune('a'+i%26)), name),
			strings.Repeat("text\n", 500))
	}
	commits := []string{u.Head(), u.Commit("many")}
	root := project(t, "")
	seen := map[State]int{}
	for round := range 24 {
		gittest.Put(t, filepath.Join(root, Dir, LockFile),
			"source \"x\" {\n  url = \"https://github.com/o/x\"\n  commit = \""+commits[round%2]+"\"\n}\n")
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SOURCES_TEST_SYNC="+root, "SOURCES_TEST_MIRROR="+mirror)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(70)) * time.Millisecond)
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		place := checkout(filepath.Join(root, Dir, "x"))
		statuses, findings, err := Inspect(root)
		if err != nil {
			t.Fatal(err)
		}
		state := statuses[0].State
		seen[state]++
		switch state {
		case Pinned, Missing:
		case WrongCommit: // the former one, whole
			if changes, err := place.changes(commits[(round+1)%2]); err != nil || len(changes) > 0 {
				t.Errorf("round %d: the former checkout: %v, %v", round, changes, err)
			}
		default:
			t.Errorf("round %d: %s %v", round, state, findings)
		}
	}
	t.Logf("states after the kills: %v", seen)
	s := &Syncer{Root: root, Environ: os.Environ(), Mirror: mirror}
	if _, err := s.Sync(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	gittest.Put(t, filepath.Join(root, Dir, safefile.TempPrefix+"left", "file"), "")
	gittest.Put(t, filepath.Join(root, Dir, "x", ".git", "HEAD"), commits[0]+"x\n")
	s.Force = true
	if _, err := s.Sync(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	noLeftovers(t, root, "x")
	if got := Check(root); len(got) != 0 {
		t.Errorf("findings %v", got)
	}
}

// TestSyncRefusesHostileTrees has commits that git would not make.
func TestSyncRefusesHostileTrees(t *testing.T) {
	t.Parallel()
	for _, name := range []string{".git", "..", ".GIT", "git~1", "a/b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			blob, err := hex.DecodeString(b.up.Git("rev-parse", "HEAD:README.md"))
			check(t, err)
			gittest.Put(t, filepath.Join(b.base, "tree"), "100644 "+name+"\x00"+string(blob))
			tree := b.up.Git("hash-object", "-t", "tree", "--literally", "-w", filepath.Join(b.base, "tree"))
			commit := b.up.Git("commit-tree", "-m", "hostile", tree)
			b.up.Git("update-ref", "refs/heads/hostile", commit)
			b.pin(t, commit, "")
			if _, err := b.sync.Sync(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "fetching") {
				t.Errorf("error %v", err)
			}
			noLeftovers(t, b.root)
		})
	}
}

// slowly sends every piece of an answer with a pause.
type slowly struct{ http.ResponseWriter }

func (s slowly) Write(p []byte) (int, error) {
	total := 0
	for len(p) > 0 {
		n, err := s.ResponseWriter.Write(p[:min(len(p), 32<<10)])
		total += n
		if err != nil {
			return total, err
		}
		if f, ok := s.ResponseWriter.(http.Flusher); ok {
			f.Flush()
		}
		p = p[n:]
		time.Sleep(20 * time.Millisecond)
	}
	return total, nil
}

// TestSyncEndsLargeTransfer has a server that would go on for a quarter of a minute.
func TestSyncEndsLargeTransfer(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	noise := make([]byte, 24<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise) // never fails
	gittest.Put(t, filepath.Join(b.up.Dir, "noise"), string(noise))
	b.pin(t, b.up.Commit("large"), "")
	handler := b.host.Config.Handler
	b.host.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request,
	) {
		handler.ServeHTTP(slowly{w}, r)
	})
	b.sync.Limits.Wire = 1 << 20
	start := time.Now()
	_, err := b.sync.Sync(t.Context(), nil)
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || !strings.Contains(err.Error(), "more than 1 MiB") ||
		time.Since(start) > 10*time.Second {
		t.Errorf("error %v after %s", err, time.Since(start))
	}
	noLeftovers(t, b.root)
}
