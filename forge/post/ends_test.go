// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:42:00Z
// Spec: openspec/specs/posting/spec.md#requirement-limits-and-time
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
)

// kinds of requests of a report: method and path.
var kinds = map[string][]string{
	"github": {
		`POST .*/check-runs`, `PATCH .*/check-runs/\d+`, `GET .*/check-runs/\d+`, `GET .*/commits/\w+/check-runs`,
		`GET .*/issues/7/comments`,
		`POST .*/issues/7/comments`, `GET .*/issues/comments/\d+`, `PATCH .*/issues/comments/\d+`, `.*`,
	},
	"gitlab": {
		`GET .*/user`, `POST .*/statuses/\w+`, `GET .*/statuses`, `GET .*/notes`, `POST .*/notes`, `GET .*/notes/\d+`,
		`PUT .*/notes/\d+`, `.*`,
	},
}

const (
	hangs   = "hangs"
	endless = "names itself as the next page"
)

// before is the address of a server that stands before another one, and answers
// requests of one kind in a way of its own. When done is set the other one has done
// what was asked.
func before(t *testing.T, api, kind, text string, done bool) string {
	t.Helper()
	upstream, err := url.Parse(api)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: upstream.Scheme, Host: upstream.Host})
	ours, over := regexp.MustCompile("^"+kind+"$"), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ours.MatchString(r.Method + " " + r.URL.Path) {
			through.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if text == endless {
			w.Header().Set("Link", "<http://"+r.Host+r.URL.Path+`?page=1>; rel="next"`)
			w.Header().Set("X-Next-Page", "1")
			through.ServeHTTP(w, r)
			return
		}
		if done {
			through.ServeHTTP(httptest.NewRecorder(), r)
		}
		if text == hangs {
			select {
			case <-over:
			case <-r.Context().Done():
			}
			return
		}
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(func() { close(over); server.Close() })
	return server.URL + upstream.Path
}

// TestReportsEnd has GitHub and GitLab give an answer of no use to each kind of
// request, for good. A run ends in the time for reports, and soon when the answer is
// null or goes on for ever; it says why, and a flush sends what it kept, once.
func TestReportsEnd(t *testing.T) {
	t.Parallel()
	const whole = 2 * time.Minute // for the reports of a job
	for system, all := range kinds {
		for _, kind := range all {
			for text, most := range map[string]time.Duration{
				"null": 40 * time.Second, "[null]": 40 * time.Second, "{}": whole, `{"user":null}`: whole,
				endless: 40 * time.Second, hangs: whole,
			} {
				for _, done := range []bool{false, true} {
					t.Run(strings.Join([]string{system, kind, text, map[bool]string{true: "done"}[done]}, "/"),
						func(t *testing.T) {
							t.Parallel()
							h := gitHub(t, "")
							if system == "gitlab" {
								h = gitLab(t, "")
							}
							dir := t.TempDir()
							p, clock := h.post(filepath.Join(dir, mkdir(t, dir, runID)))
							strange := h.access
							strange.API = before(t, h.access.API, kind, text, done)
							timeout := post.RequestTimeout
							if text == hangs {
								timeout = 100 * time.Millisecond
							}
							if err := p.Use(strange, timeout); err != nil {
								t.Fatal(err)
							}
							reportAll(p)
							left := strings.Join(p.Close(t.Context(), whole), "\n")
							if got := clock.total(); got > most {
								t.Errorf("it took %s: %s", got, left)
							}
							if strings.Contains(left, "panic") || left != "" && !strings.Contains(left, "not reported: ") {
								t.Errorf("it says %q", left)
							}
							fresh := post.WithClock((&fakeClock{now: begin}).clock(), post.RequestTimeout)
							if out, err := post.Flush(t.Context(), dir, h.access, time.Minute, fresh); err != nil || len(out) > 0 {
								t.Fatalf("flushing: %v %q", err, out)
							}
							h.arrived()
						})
				}
			}
		}
	}
}
