// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:30:00Z
// Spec: openspec/specs/posting/spec.md#requirement-reports-never-decide
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/runner/job"
)

// quickClock does not wait: its time goes on by what it is asked to wait.
type quickClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (q *quickClock) clock() post.Clock {
	return post.Clock{
		Now: func() time.Time { q.mu.Lock(); defer q.mu.Unlock(); return time.Now().Add(q.ahead) },
		Sleep: func(ctx context.Context, d time.Duration) error {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.ahead += d
			return ctx.Err()
		},
	}
}

// TestCIWithAFailingGitHub plans a pull request while GitHub fails in every way
// that it is known for. The job ends with its own exit code and in time, its
// summary is whole, and nothing is there twice. What could not be sent is sent
// by flush when GitHub is well again.
func TestCIWithAFailingGitHub(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules string
		later bool // it is left for flush
		says  string
	}{
		"nothing fails":            {"", false, ""},
		"502 after committing":     {"POST /** nth=1-2 status=502 after", false, ""},
		"502 after every commit":   {"POST /** status=502 after\nPATCH /** status=502 after", true, "502"},
		"502, nothing done":        {"POST /** nth=1-2 status=502", false, ""},
		"502 for good":             {"* /** status=502", true, "502"},
		"403, a second":            {`POST /** nth=1 status=403 header="Retry-After: 1"`, false, ""},
		"429, a second":            {`POST /** nth=1-2 status=429 header="Retry-After: 1"`, false, ""},
		"403, a minute":            {`POST /** nth=1 status=403 header="Retry-After: 60"`, false, ""},
		"429, a minute":            {`POST /** nth=1 status=429 header="Retry-After: 60"`, false, ""},
		"403, an hour":             {`POST /** status=403 header="Retry-After: 3600"`, true, "left alone for"},
		"429, an hour":             {`POST /** status=429 header="Retry-After: 3600"`, true, "left alone for"},
		"403, garbage":             {`POST /** nth=1 status=403 reason="You have exceeded a secondary rate limit" header="Retry-After: soon"`, false, ""},
		"429, garbage":             {`POST /** nth=1 status=429 header="Retry-After: 99999999999999999999"`, false, ""},
		"truncated JSON":           {"* /** nth=1-3 cut", false, ""},
		"truncated JSON for good":  {"* /** cut", true, "unexpected"},
		"no answer":                {"* /** delay=1m", true, "deadline exceeded"},
		"no answer after a commit": {"POST /** nth=1-2 drop after", false, ""},
		"no connection":            {"* /** drop", true, "EOF"},
		"the token expires midway": {`* /** nth=2- status=401 reason="Bad credentials"`, true, "401 Bad credentials"},
		"200 with something else":  {`* /** nth=1-2 status=200 reason="<html>"`, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHosted(t, nil)
			if err := h.hub.Faults().Load(c.rules); err != nil {
				t.Fatal(err)
			}
			clock, began := &quickClock{}, time.Now()
			code, log, summary := h.step(t, "pull_request", fmt.Sprintf(pullJob, h.head),
				post.WithClock(clock.clock(), time.Second))
			if took := time.Since(began) + clock.ahead; took > job.Reporting+time.Minute {
				t.Errorf("the job took %s", took)
			}
			if code != 0 || !strings.Contains(summary, "0 of 6 targets to build") ||
				!strings.Contains(log, "valid: 6 targets of lab") {
				t.Errorf("exit code %d\n%s\n%s", code, log, summary)
			}
			if kept := strings.Contains(log, "are kept in"); kept != c.later || !strings.Contains(log, c.says) {
				t.Errorf("kept for later: %v, want %v with %q\n%s", kept, c.later, c.says, log)
			}
			for _, rule := range h.hub.Faults().Unused() {
				t.Errorf("the fault %q hit nothing", rule)
			}
			h.hub.Faults().Clear()
			if c.later {
				h.flush(t)
			}
			checks, comments := h.hub.Checks(), h.hub.Comments()
			if len(checks) != 1 || len(comments) != 1 || checks[0]["conclusion"] != "success" ||
				!strings.Contains(fmt.Sprint(comments[0]["body"]), "0 of 6 targets to build") {
				t.Errorf("%d check-runs and %d comments: %v %v\n%s", len(checks), len(comments), checks, comments, log)
			}
		})
	}
}

// flush sends what the job has left, with a new token for the same GitHub.
func (h hosted) flush(t *testing.T) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, []string{"flush", "-C", h.dir},
		[]string{"GITHUB_TOKEN=" + jobToken, "GITHUB_API_URL=" + h.hub.URL(), "RUNNER_TEMP=" + h.temp})
	if code != 0 || errs.Len() > 0 {
		t.Errorf("flush: exit code %d\n%s%s", code, out.String(), errs.String())
	}
}

// TestCIWithNull plans a pull request while GitHub does what it is asked for and
// answers one kind of request, or all, with null for good.
func TestCIWithNull(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"", "/check-runs", "/issues/7/comments", "/issues/comments/"} {
		for _, text := range []string{"null", "[null]", `{"x":{"y":[null]}}`} {
			t.Run(kind+" "+text, func(t *testing.T) {
				t.Parallel()
				h := newHosted(t, nil)
				upstream, err := url.Parse(h.hub.URL())
				if err != nil {
					t.Fatal(err)
				}
				through := httputil.NewSingleHostReverseProxy(upstream)
				front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if !strings.Contains(r.URL.Path, kind) {
						through.ServeHTTP(w, r)
						return
					}
					through.ServeHTTP(httptest.NewRecorder(), r)
					_, _ = io.WriteString(w, text)
				}))
				defer front.Close()
				h.api = front.URL
				clock, began := &quickClock{}, time.Now()
				code, log, summary := h.step(t, "pull_request", fmt.Sprintf(pullJob, h.head),
					post.WithClock(clock.clock(), time.Second))
				if took := time.Since(began) + clock.ahead; code != 0 || took > time.Minute ||
					!strings.Contains(summary, "0 of 6 targets to build") {
					t.Errorf("exit code %d after %s\n%s\n%s", code, took, log, summary)
				}
				if strings.Contains(log, "not reported") != strings.Contains(log, "are kept in") ||
					strings.Contains(log, "not reported") && !strings.Contains(log, "null") {
					t.Errorf("it says\n%s", log)
				}
				h.api = ""
				h.flush(t)
				if checks, comments := h.hub.Checks(), h.hub.Comments(); len(checks) != 1 || len(comments) != 1 {
					t.Errorf("%d check-runs and %d comments: %v %v\n%s", len(checks), len(comments), checks, comments, log)
				}
			})
		}
	}
}
