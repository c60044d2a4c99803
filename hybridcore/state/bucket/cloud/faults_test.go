// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:17:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// before stands before a server and does something to each request.
func before(t *testing.T, server string, do func(w http.ResponseWriter, r *http.Request, through http.Handler)) string {
	t.Helper()
	at, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(at)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { do(w, r, through) }))
	t.Cleanup(s.Close)
	return s.URL
}

// TestLostAnswer has the server carry out a put whose answer does not arrive: the library
// asks again, finds the object, and takes it for somebody else's.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	server := s3Server(t)
	var lose atomic.Bool
	lossy := before(t, server, func(w http.ResponseWriter, r *http.Request, through http.Handler) {
		if r.Method != http.MethodPut || !lose.Swap(false) {
			through.ServeHTTP(w, r)
			return
		}
		through.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	b, other := open(t, s3Address(lossy, "x")), open(t, s3Address(server, "x"))
	if err := b.Put(t.Context(), "a/first", nil); err != nil {
		t.Fatal(err)
	}
	lose.Store(true)
	if err := b.Put(t.Context(), "a/b", []byte("one")); err != nil {
		t.Errorf("a put whose answer is lost: %v", err)
	}
	if got, err := other.Get(t.Context(), "a/b"); err != nil || string(got) != "one" {
		t.Errorf("stored is %q, %v", got, err)
	}
	if err := other.Put(t.Context(), "a/c", []byte("one")); err != nil {
		t.Fatal(err)
	}
	lose.Store(true)
	if err := b.Put(t.Context(), "a/c", []byte("one")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("somebody else's with equal content: %v", err)
	}
}

// TestTroubles has a server answer badly, for a while or for good.
func TestTroubles(t *testing.T) {
	t.Parallel()
	server := s3Server(t)
	for what, of := range map[string]struct {
		status int
		code   string
		times  int64 // how often; negative: always
		says   string
	}{
		"too many":    {429, "SlowDown", 6, ""},
		"unavailable": {503, "SlowDown", 6, ""},
		"internal":    {500, "InternalError", 4, ""},
		"conflict":    {409, "ConditionalRequestConflict", 2, ""},
		"forbidden":   {403, "AccessDenied", -1, "s3:PutObject"},
		"no bucket":   {404, "NoSuchBucket", -1, "there is no such bucket"},
		"clock":       {403, "RequestTimeTooSkewed", -1, "clock of this machine"},
		"region":      {301, "PermanentRedirect", -1, "?region="},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var left atomic.Int64
			left.Store(of.times)
			bad := before(t, server, func(w http.ResponseWriter, r *http.Request, through http.Handler) {
				if of.times > 0 && left.Add(-1) < 0 {
					through.ServeHTTP(w, r)
					return
				}
				w.WriteHeader(of.status)
				if r.Method != http.MethodHead {
					_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>\u202e no</Message></Error>", of.code)
				}
			})
			b := open(t, s3Address(bad, strings.ReplaceAll(what, " ", "-")))
			err := b.Put(t.Context(), "a/b", []byte("one"))
			if of.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			statetest.WantBlocked(t, err, "hint: ", of.says)
			if strings.ContainsAny(err.Error(), "\u202e") || strings.Contains(err.Error(), "password") {
				t.Errorf("it says %q", err)
			}
			for _, err := range b.List(t.Context(), "a/") {
				statetest.WantBlocked(t, err, "hint: ")
			}
		})
	}
}

// TestSlowServer waits before each answer.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	server := s3Server(t)
	slow := before(t, server, func(w http.ResponseWriter, r *http.Request, through http.Handler) {
		time.Sleep(*statetest.Slow)
		through.ServeHTTP(w, r)
	})
	if err := open(t, s3Address(slow, "x")).Put(t.Context(), "a/b", []byte("one")); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, s3Address(server, "x")).Get(t.Context(), "a/b"); err != nil || string(got) != "one" {
		t.Errorf("stored is %q, %v", got, err)
	}
}

// TestTruncated cuts answers in their middle: what they are of is asked for again.
func TestTruncated(t *testing.T) {
	t.Parallel()
	server := s3Server(t)
	var cut atomic.Bool
	bad := before(t, server, func(w http.ResponseWriter, r *http.Request, through http.Handler) {
		if r.Method != http.MethodGet || !cut.Swap(false) {
			through.ServeHTTP(w, r)
			return
		}
		whole := httptest.NewRecorder()
		through.ServeHTTP(whole, r)
		maps.Copy(w.Header(), whole.Header())
		w.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()))
		_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
		panic(http.ErrAbortHandler)
	})
	b := open(t, s3Address(bad, "x"))
	data := strings.Repeat("0123456789", 10_000)
	if err := b.Put(t.Context(), "a/b", []byte(data)); err != nil {
		t.Fatal(err)
	}
	cut.Store(true)
	if got, err := b.Get(t.Context(), "a/b"); err != nil || string(got) != data || cut.Load() {
		t.Errorf("read are %d bytes, want %d, %v", len(got), len(data), err)
	}
	cut.Store(true)
	listed := 0
	for name, err := range b.List(t.Context(), "a/") {
		if listed++; err != nil || name != "a/b" {
			t.Errorf("listed %q, %v", name, err)
		}
	}
	if listed != 1 || cut.Load() {
		t.Errorf("%d names are listed", listed)
	}
}

// TestWritesOver refuses a server that ignores the condition of a put.
func TestWritesOver(t *testing.T) {
	t.Parallel()
	old := before(t, s3Server(t), func(w http.ResponseWriter, r *http.Request, through http.Handler) {
		r.Header.Del("If-None-Match")
		through.ServeHTTP(w, r)
	})
	b := open(t, s3Address(old, "x"))
	statetest.WantBlocked(t, b.Put(t.Context(), "a/b", []byte("one")), "conditional writes")
	if _, err := b.Get(t.Context(), "a/b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is there: %v", err)
	}
}

// TestLarge refuses to read what is no object, and leaves out what has no name of one.
func TestLarge(t *testing.T) {
	t.Parallel()
	server := s3Server(t)
	ask(t, http.MethodPut, server+"/images/x/a/huge", strings.Repeat("0", state.MaxObject+1))
	ask(t, http.MethodPut, server+"/images/x/a/", "")
	ask(t, http.MethodPut, server+"/images/x/a/Not%20ours", "")
	b := open(t, s3Address(server, "x"))
	_, err := b.Get(t.Context(), "a/huge")
	if _, odd := errors.AsType[state.FormError](err); !odd {
		t.Errorf("more than is read: %v", err)
	}
	for name, err := range b.List(t.Context(), "a/") {
		if err != nil || name != "a/huge" {
			t.Errorf("listed %q, %v", name, err)
		}
	}
}

// TestNobody says what to do where no server, or no credential, is.
func TestNobody(t *testing.T) {
	t.Parallel()
	b := open(t, "s3://images/x?profile=nobody")
	_, err := b.Get(t.Context(), "a/b")
	statetest.WantBlocked(t, err, "no credentials were found")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	begin := time.Now()
	gone := open(t, s3Address("http://127.0.0.1:"+freePort(t), "x"))
	if _, err := gone.Get(ctx, "a/b"); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 10*time.Second {
		t.Errorf("without a server after %v: %v", time.Since(begin), err)
	}
}

// TestRequests counts what a run asks for: a record is looked for and put, the newest of
// numbered objects is listed and read.
func TestRequests(t *testing.T) {
	t.Parallel()
	b := open(t, s3Address(s3Server(t), "x"))
	s := state.New(b, state.Capabilities{})
	if err := s.Append(t.Context(), statetest.Record("run-0"), nil); err != nil { // proves the server, once
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), statetest.Put("lab/debian-12@vsphere")); err != nil {
		t.Fatal(err)
	}
	for _, of := range []struct {
		what string
		do   func() error
		most int
	}{
		{"read", func() error { _, err := s.Read(t.Context()); return err }, 2},
		{"record", func() error { _, err := s.Record(t.Context(), "run-0"); return err }, 1},
		{"append", func() error { return s.Append(t.Context(), statetest.Record("run-1"), nil) }, 3},
		{"update", func() error { return s.Update(t.Context(), statetest.Put("lab/x@vsphere")) }, 5},
	} {
		was := b.Requests()
		if err := of.do(); err != nil {
			t.Error(hybridcore.ExitCode(err), err)
		}
		took := b.Requests() - was
		t.Logf("%s takes %d requests", of.what, took)
		if took > of.most {
			t.Errorf("%s takes %d requests, at most %d", of.what, took, of.most)
		}
	}
}

// TestManyWriters has sixteen machines append, update and lease at once.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	const machines, each = 16, 3
	address := s3Address(s3Server(t), "x")
	var all sync.WaitGroup
	var held atomic.Int64
	for i := range machines {
		s := state.New(open(t, address), state.Capabilities{})
		all.Go(func() {
			for n := range each {
				id := fmt.Sprintf("run-%d-%d", i, n)
				if err := s.Append(t.Context(), statetest.Record(id), statetest.Attachments()); err != nil {
					t.Error(err)
				}
			}
			if err := s.Update(t.Context(), statetest.Put(fmt.Sprintf("lab/i%d@vsphere", i))); err != nil {
				t.Error(err)
			}
			if _, err := s.Acquire(t.Context(), statetest.Lease(fmt.Sprintf("run-%d", i))); err == nil {
				held.Add(1)
			} else if hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s := state.New(open(t, address), state.Capabilities{})
	snapshot, err := s.Read(t.Context())
	if err != nil || snapshot.Serial != machines || len(snapshot.Targets) != machines {
		t.Errorf("serial %d with %d targets, %v", snapshot.Serial, len(snapshot.Targets), err)
	}
	if ids, err := s.Records(t.Context()); err != nil || len(ids) != machines*each {
		t.Errorf("%d records, %v", len(ids), err)
	}
	if held.Load() != 1 {
		t.Errorf("%d hold the lease", held.Load())
	}
}
