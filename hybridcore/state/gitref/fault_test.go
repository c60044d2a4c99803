// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:05:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/gitref"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

var (
	kills     = flag.Int("kills", 8, "how many writers TestKilledWriters kills")
	processes = flag.Int("processes", 4, "writers of TestSharedCounter at once")
	changes   = flag.Int("changes", 20, "leases and changes of TestSharedCounter together")
	slow      = flag.Duration("slow", 2*time.Second, "how long the server of TestSlowServer waits before each answer")
)

const writerEnv = "GITREF_TEST_WRITER"

// TestMain is a writer of TestKilledWriters when the environment says so: it says
// what it has stored, line by line, until it is killed.
func TestMain(m *testing.M) {
	repository := os.Getenv(writerEnv)
	if repository == "" {
		flag.Parse()
		os.Exit(m.Run())
	}
	b, err := gitref.New(context.Background(), gitref.Options{Repository: repository, Local: true, Environ: os.Environ()})
	for n := 0; err == nil; n++ {
		name := fmt.Sprintf("runs/%d-%d.json", os.Getpid(), n)
		if err = b.Put(context.Background(), name, []byte(name)); err == nil {
			fmt.Println(name)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// TestKilledWriters kills writers at any moment: the repository is whole, and holds
// all that they had acknowledged.
func TestKilledWriters(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	var mu sync.Mutex
	var stored []string
	var all sync.WaitGroup
	for k := range *kills {
		all.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), writerEnv+"="+dir, "TMPDIR="+t.TempDir())
			out, err := cmd.StdoutPipe()
			if err != nil || cmd.Start() != nil {
				t.Error("a writer cannot start")
				return
			}
			time.AfterFunc(time.Duration(300+rand.IntN(3000))*time.Millisecond, func() { _ = cmd.Process.Kill() })
			for lines := bufio.NewScanner(out); lines.Scan(); {
				mu.Lock()
				stored = append(stored, lines.Text())
				mu.Unlock()
			}
			err = cmd.Wait()
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Errorf("writer %d ended by itself: %v", k, err)
			}
		})
	}
	all.Wait()
	whole(t, dir)
	b := open(t, gitref.Options{Repository: dir})
	for _, name := range stored {
		if data, err := b.Get(t.Context(), name); err != nil || string(data) != name {
			t.Errorf("%s was acknowledged, and is %.40q, %v", name, data, err)
		}
	}
	if err := b.Put(t.Context(), "runs/after.json", nil); err != nil {
		t.Errorf("after the kills: %v", err)
	}
	t.Logf("%d objects were acknowledged by %d writers", len(stored), *kills)
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

// TestSharedCounter has several states take one lease in turn and change the snapshot
// while they hold it: no two hold it at once, and no change is lost.
func TestSharedCounter(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	each := max(1, *changes / *processes)
	var all sync.WaitGroup
	var mu sync.Mutex
	var holders int
	for p := range *processes {
		s := state.New(open(t, gitref.Options{Repository: dir}), state.Capabilities{})
		all.Go(func() {
			for n := range each {
				id := fmt.Sprintf("run-%d-%d", p, n)
				held := acquired(t, s, id)
				if held == nil {
					return
				}
				mu.Lock()
				if holders++; holders > 1 {
					t.Error("two hold the lease at once")
				}
				mu.Unlock()
				if err := s.Update(t.Context(), statetest.Put("lab/"+id+"@vsphere")); err != nil {
					t.Error(err)
				}
				mu.Lock()
				holders--
				mu.Unlock()
				if err := held.Release(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	snapshot, err := state.New(open(t, gitref.Options{Repository: dir}), state.Capabilities{}).Read(t.Context())
	if err != nil || len(snapshot.Targets) != each**processes {
		t.Errorf("%d changes are kept, want %d; %v", len(snapshot.Targets), each**processes, err)
	}
}

// acquired waits for the lease.
func acquired(t *testing.T, s *state.Store, id string) *state.Held {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); {
		held, err := s.Acquire(t.Context(), statetest.Lease(id))
		var other *state.HeldError
		switch {
		case err == nil:
			return held
		case !errors.As(err, &other):
			t.Errorf("%s: %v", id, err)
			return nil
		}
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond)
	}
	t.Errorf("%s never gets the lease", id)
	return nil
}

// TestSlowServer waits before each answer.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.open()
	s.meddles(func(http.ResponseWriter, *http.Request, http.Handler) bool { time.Sleep(*slow); return false })
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
