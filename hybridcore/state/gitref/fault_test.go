// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:05:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/gitref"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// TestMain is one of many processes when the environment says so.
func TestMain(m *testing.M) { os.Exit(statetest.Main(m, reopen)) }

func reopen(dir string) (state.Backend, state.Capabilities, error) {
	b, err := gitref.New(context.Background(), gitref.Options{Repository: dir, Local: true, Environ: os.Environ()})
	return b, state.Capabilities{}, err
}

// TestKilledWriters kills writers at any moment: repository and state are whole, and hold all that was acknowledged.
func TestKilledWriters(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	statetest.Killed(t, dir, reopen)
	whole(t, dir)
}

// whole checks a repository. A server whose writer was killed may still be at work, and
// put what the check has not listed.
func whole(t *testing.T, dir string) {
	t.Helper()
	var out []byte
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		cmd := exec.CommandContext(t.Context(), "git", "fsck", "--strict")
		cmd.Dir = dir
		if out, err = cmd.CombinedOutput(); err == nil {
			return
		}
	}
	t.Fatalf("the repository is not whole: %v\n%s", err, out)
}

// TestCrowd has processes at once work on one repository. Its history writes over nothing.
func TestCrowd(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	statetest.Crowd(t, dir, reopen)
	for line := range strings.Lines(git(t, dir, "log", "--format=", "--name-status", "--no-renames", gitref.DefaultRef)) {
		if line[0] != 'A' && line[0] != 'D' {
			t.Errorf("the history has %q", line)
		}
	}
}

// TestTurns has processes write without a pause: none of them is shut out.
func TestTurns(t *testing.T) {
	t.Parallel()
	const writers, least = 6, 3
	dir := repository(t)
	var all sync.WaitGroup
	var puts [writers]atomic.Int64
	done := func() bool {
		for w := range puts {
			if puts[w].Load() < least {
				return false
			}
		}
		return true
	}
	for w := range writers {
		b := open(t, gitref.Options{Repository: dir})
		all.Go(func() {
			for !done() {
				if err := b.Put(t.Context(), fmt.Sprintf("runs/%d-%d.json", w, puts[w].Load()), nil); err != nil {
					t.Error(err)
					return
				}
				puts[w].Add(1)
			}
		})
	}
	all.Wait()
	for w := range puts {
		t.Logf("writer %d put %d", w, puts[w].Load())
	}
}

// TestWaits ends with its context also while another call waits for a server.
func TestWaits(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.open()
	if err := b.Put(t.Context(), "runs/x", nil); err != nil {
		t.Fatal(err)
	}
	asked, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.meddles(func(http.ResponseWriter, *http.Request, http.Handler) bool {
		once.Do(func() { close(asked) })
		<-answer
		return false
	})
	var first sync.WaitGroup
	first.Go(func() {
		if err := b.Put(t.Context(), "runs/y", nil); err != nil {
			t.Error(err)
		}
	})
	<-asked
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, read := b.Get(ctx, "runs/x")
	_, offset := b.Offset(ctx)
	all := map[string]error{
		"get": read, "offset": offset, "put": b.Put(ctx, "runs/z", nil), "delete": b.Delete(ctx, "runs/x"),
		"ahead": b.Ahead(ctx, []string{"runs/x"}), "list": nil,
	}
	for _, err := range b.List(ctx, "runs/") {
		all["list"] = err
	}
	for what, err := range all {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", what, err)
		}
	}
	close(answer)
	first.Wait()
}

// TestSlowServer waits before each answer.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.open()
	s.meddles(func(http.ResponseWriter, *http.Request, http.Handler) bool { time.Sleep(*statetest.Slow); return false })
	if err := b.Put(t.Context(), "runs/x", nil); err != nil {
		t.Error(err)
	}
}

// TestTruncatedPack cuts an answer in its middle: it is asked for again.
func TestTruncatedPack(t *testing.T) {
	t.Parallel()
	s := serve(t)
	seed(t, s.dir, 50)
	b := s.open()
	once := sync.Once{}
	s.meddles(func(w http.ResponseWriter, r *http.Request, git http.Handler) bool {
		cut := false
		if r.Method == http.MethodPost {
			whole := httptest.NewRecorder()
			git.ServeHTTP(whole, r)
			body := whole.Body.Bytes()
			if strings.Contains(whole.Body.String(), "PACK") {
				once.Do(func() { cut = true })
			}
			w.Header().Set("Content-Type", whole.Header().Get("Content-Type"))
			if cut {
				w.Header().Set("Content-Length", strconv.Itoa(len(body)))
				body = body[:len(body)/2]
			}
			_, _ = w.Write(body)
			return true
		}
		return false
	})
	if data, err := b.Get(t.Context(), "snapshot/00000002"); err != nil || string(data) != "two" {
		t.Errorf("%q, %v", data, err)
	}
}

// TestHistoryBeginsAnew has a thousand commits: the next one has none before it, and
// all objects are there.
func TestHistoryBeginsAnew(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	b := open(t, gitref.Options{Repository: dir})
	if err := b.Put(t.Context(), "runs/first", nil); err != nil {
		t.Fatal(err)
	}
	tree := strings.TrimSpace(git(t, dir, "rev-parse", gitref.DefaultRef+"^{tree}"))
	thousandth := strings.TrimSpace(git(t, dir, "-c", "user.name=x", "-c", "user.email=x@y", "commit-tree", tree,
		"-p", gitref.DefaultRef, "-m", "Put runs/first\n\nCommits: 1000"))
	git(t, dir, "update-ref", gitref.DefaultRef, thousandth)
	if err := open(t, gitref.Options{Repository: dir}).Put(t.Context(), "runs/second", nil); err != nil {
		t.Fatal(err)
	}
	if n := strings.TrimSpace(git(t, dir, "rev-list", "--count", gitref.DefaultRef)); n != "1" {
		t.Errorf("the history has %s commits", n)
	}
	time.Sleep(1200 * time.Millisecond) // what was seen is taken as it is now for a second
	if _, err := b.Get(t.Context(), "runs/second"); err != nil {
		t.Errorf("who saw the former history: %v", err)
	}
	if err := b.Put(t.Context(), "runs/first", nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an object of the former history: %v", err)
	}
}

// TestForeignFiles leaves alone what others have put into the ref, and reads no link.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	cmd := exec.CommandContext(t.Context(), "git", "fast-import", "--quiet")
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader("commit " + gitref.DefaultRef + "\ncommitter x <x@y> 1700000000 +0000\ndata 0\n" +
		"M 120000 inline runs/link.json\ndata 11\n/etc/passwd\nM 100644 inline README\ndata 2\nhi\n" +
		"M 100755 inline runs/program.json\ndata 0\n\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b := open(t, gitref.Options{Repository: dir})
	for name, err := range b.List(t.Context(), "runs/") {
		t.Errorf("listed: %s, %v", name, err)
	}
	if data, err := b.Get(t.Context(), "runs/link.json"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link is read: %q, %v", data, err)
	}
	if err := b.Put(t.Context(), "runs/x.json", nil); err != nil {
		t.Fatal(err)
	}
	if names := git(t, dir, "ls-tree", "-r", "--name-only", gitref.DefaultRef); !strings.Contains(names, "README") {
		t.Errorf("what others have put is gone: %s", names)
	}
}

// TestBranchIsProtected names what to do when a hook refuses.
func TestBranchIsProtected(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	if err := os.MkdirAll(dir+"/hooks", 0o700); err != nil {
		t.Fatal(err)
	}
	hook := "#!/bin/sh\necho 'remote: GH013: Repository rule violations found' >&2\nexit 1\n"
	if err := os.WriteFile(dir+"/hooks/pre-receive", []byte(hook), 0o700); err != nil {
		t.Fatal(err)
	}
	err := open(t, gitref.Options{Repository: dir}).Put(t.Context(), "runs/x", nil)
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || !strings.Contains(err.Error(), "exempt this ref") {
		t.Error(err)
	}
}
