// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:03:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/gitref"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// server is git's own server over HTTP, for one user.
type server struct {
	*httptest.Server

	t   *testing.T
	dir string // of the repository

	mu   sync.Mutex
	asks []string // METHOD PATH of each request
	// meddle answers in git's place when it says so.
	meddle func(w http.ResponseWriter, r *http.Request, git http.Handler) bool
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, dir: repository(t)}
	git(t, s.dir, "config", "http.receivepack", "true")
	path, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	handler := &cgi.Handler{
		Path: path, Args: []string{"http-backend"},
		Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(s.dir), "GIT_HTTP_EXPORT_ALL=1", "HOME=/dev/null"},
		// The version of the protocol, which CGI does not hand over by itself.
		InheritEnv: []string{"PATH"}, Stderr: t.Output(),
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, token, _ := r.BasicAuth()
		if user != "robot" || token != "t0ken" {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		s.mu.Lock()
		s.asks = append(s.asks, r.Method+" "+r.URL.Path)
		meddle := s.meddle
		s.mu.Unlock()
		one := *handler
		one.Env = append(slices.Clip(one.Env), "GIT_PROTOCOL="+r.Header.Get("Git-Protocol"))
		if r.ContentLength < 0 { // CGI wants to know how much comes
			var body bytes.Buffer
			if _, err := body.ReadFrom(r.Body); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			r.Body, r.ContentLength = http.NoBody, int64(body.Len())
			r.Body = readCloser{&body}
			r.TransferEncoding = nil
		}
		if meddle == nil || !meddle(w, r, &one) {
			one.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

type readCloser struct{ *bytes.Buffer }

func (readCloser) Close() error { return nil }

// asked are the requests since the last call.
func (s *server) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.asks
	s.asks = nil
	return all
}

func (s *server) meddles(with func(http.ResponseWriter, *http.Request, http.Handler) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meddle = with
}

func (s *server) open() *gitref.Backend {
	s.t.Helper()
	return open(s.t, gitref.Options{
		Repository: s.URL + "/state.git", Access: gitref.Access{User: "robot", Token: "t0ken"},
	})
}

// TestOverHTTP is the suite on git's own server.
func TestOverHTTP(t *testing.T) {
	t.Parallel()
	statetest.Suite(t, func(t *testing.T) (state.Backend, state.Capabilities) {
		t.Helper()
		b := serve(t).open()
		return b, state.Capabilities{Guide: b}
	})
}

// TestRoundTrips bounds the requests of what jobs do, over a history of 300 records.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	s := serve(t)
	seed(t, s.dir, 300)
	b := s.open()
	s.asked()
	for _, step := range []struct {
		what string
		most int
		do   func() error
	}{
		{"the first look", 5, func() error {
			for _, err := range b.List(t.Context(), "runs/") {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"the newest snapshot", 0, func() error { _, err := b.Get(t.Context(), "snapshot/00000002"); return err }},
		{"a record", 2, func() error { _, err := b.Get(t.Context(), "runs/run-7.json"); return err }},
		{"an append", 3, func() error { return b.Put(t.Context(), "runs/new.json", []byte("{}")) }},
		{"what was just appended", 0, func() error { _, err := b.Get(t.Context(), "runs/new.json"); return err }},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		asked := s.asked()
		t.Logf("%s: %d requests", step.what, len(asked))
		if len(asked) > step.most {
			t.Errorf("%s takes %d requests, want at most %d: %v", step.what, len(asked), step.most, asked)
		}
	}
}

// seed writes a history of records in one commit.
func seed(t *testing.T, dir string, records int) {
	t.Helper()
	var in strings.Builder
	fmt.Fprintf(&in, "commit %s\ncommitter x <x@y> 1700000000 +0000\ndata 0\n", gitref.DefaultRef)
	file := func(name, data string) { fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", name, len(data), data) }
	for n := range records {
		file(fmt.Sprintf("runs/run-%d.json", n), fmt.Sprintf("{%d}", n))
	}
	file("snapshot/00000001", "one")
	file("snapshot/00000002", "two")
	cmd := exec.CommandContext(t.Context(), "git", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(in.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestLostAnswer drops the answers of pushes that the server has carried out: what
// was put is put, once, and is not taken for somebody else's.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	s := serve(t)
	b := s.open()
	if err := b.Put(t.Context(), "runs/first", nil); err != nil {
		t.Fatal(err)
	}
	other := s.open()
	for _, name := range []string{"alone", "followed"} {
		once := sync.Once{}
		s.meddles(func(w http.ResponseWriter, r *http.Request, git http.Handler) bool {
			lost := false
			if strings.HasSuffix(r.URL.Path, "/git-receive-pack") && r.Method == http.MethodPost {
				once.Do(func() {
					lost = true
					git.ServeHTTP(httptest.NewRecorder(), r)
				})
			}
			if lost {
				if name == "followed" {
					s.meddles(nil)
					if err := other.Put(context.WithoutCancel(t.Context()), "runs/after", nil); err != nil {
						t.Error(err)
					}
				}
				panic(http.ErrAbortHandler)
			}
			return false
		})
		if err := b.Put(t.Context(), "runs/"+name, []byte(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		s.meddles(nil)
		if err := b.Put(t.Context(), "runs/"+name, []byte(name)); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s, again: %v", name, err)
		}
	}
}

// TestTroubles has the server refuse for a time, and for good.
func TestTroubles(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		code    int
		times   int
		says    string
		blocked bool
	}{
		"passes, 503":  {code: 503, times: 2},
		"passes, 429":  {code: 429, times: 2},
		"for good 503": {code: 503, times: 1 << 30, says: "503"},
		"forbidden":    {code: 403, times: 1 << 30, says: "contents: write", blocked: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			b := s.open()
			left := of.times
			s.meddles(func(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
				if !strings.Contains(r.URL.Path+r.URL.RawQuery, "git-receive-pack") {
					return false
				}
				s.mu.Lock()
				defer s.mu.Unlock()
				if left--; left < 0 {
					return false
				}
				http.Error(w, "not now", of.code)
				return true
			})
			err := b.Put(t.Context(), "runs/x", nil)
			if (err == nil) != (of.says == "") || err != nil && !strings.Contains(err.Error(), of.says) {
				t.Errorf("put: %v", err)
			}
			if _, blocked := errors.AsType[*hybridcore.BlockedError](err); blocked != of.blocked {
				t.Errorf("blocked is %v: %v", blocked, err)
			}
			if err != nil && strings.Contains(err.Error(), "t0ken") {
				t.Errorf("the token is in %v", err)
			}
		})
	}
}

// TestManyWriters has writers with clones of their own append at once.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 5
	s := serve(t)
	var all sync.WaitGroup
	begin := time.Now()
	for w := range writers {
		b := s.open()
		all.Go(func() {
			for n := range each {
				if err := b.Put(t.Context(), fmt.Sprintf("runs/%d-%d.json", w, n), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d appends of %d writers took %s", writers*each, writers, time.Since(begin))
	count := 0
	for _, err := range s.open().List(t.Context(), "runs/") {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != writers*each {
		t.Errorf("%d objects are there, want %d", count, writers*each)
	}
}
