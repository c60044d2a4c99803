// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:40:00Z
// Spec: openspec/specs/posting/spec.md#requirement-creations-happen-once
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// served is a served GitHub or GitLab, whose own API does not matter to a test.
type served struct {
	access  post.Access
	faults  *fault.Injector
	post    func(dir string) (*post.Poster, *fakeClock)
	calls   func() int // requests so far
	arrived func()     // fails the test when anything of report is missing or there twice
}

func gitHub(t *testing.T, rules string) served {
	t.Helper()
	s := serve(t, nil, rules)
	access := hubAccess(s)
	return served{
		access: access, faults: s.Faults(), calls: func() int { return len(s.Calls()) },
		arrived: func() { arrived(t, s) },
		post:    func(dir string) (*post.Poster, *fakeClock) { return impatient(access, rules)(quiet(t, dir, s, 1)) },
	}
}

func gitLab(t *testing.T, rules string) served {
	t.Helper()
	s := serveGitLab(t, nil, rules)
	return served{
		access: labAccess(s), faults: s.Faults(), calls: func() int { return len(s.Calls()) },
		arrived: func() { arrivedAtGitLab(t, s) },
		post: func(dir string) (*post.Poster, *fakeClock) {
			return impatient(labAccess(s), rules)(quietGitLab(t, dir, s, jobAddress(labPipeline, 11)))
		},
	}
}

// impatient makes requests end soon where rules delay them: by a clock that is real.
func impatient(access post.Access, rules string) func(*post.Poster, *fakeClock) (*post.Poster, *fakeClock) {
	return func(p *post.Poster, clock *fakeClock) (*post.Poster, *fakeClock) {
		if strings.Contains(rules, "delay=1m") {
			_ = p.Use(access, 500*time.Millisecond) // as New has
		}
		return p, clock
	}
}

// setback is a way to fail for a time, and how long may be waited for its end.
type setback struct {
	rules       string
	most, least time.Duration
}

// setbacks hit a run of GitHub at its end.
var setbacks = map[string]setback{
	"nothing fails": {"", 20 * time.Second, 0},
	"every create is lost": {"POST /** nth=1 status=502 after\nPOST /** nth=2 cut\nPOST /** nth=3 drop " +
		"after\nPOST /** nth=4 status=502 after", time.Minute, 4 * time.Second},
	"first answers lost":   {"POST /** nth=1-2 status=502 after", time.Minute, 2 * time.Second},
	"nothing done":         {"* /** nth=1-2 status=502", time.Minute, 2 * time.Second},
	"updates lost":         {"PATCH /** nth=1-3 status=502 after", time.Minute, 2 * time.Second},
	"updates half":         {"PATCH /** nth=1-2 cut", time.Minute, 2 * time.Second},
	"lists half":           {"GET /** nth=1-2 cut", time.Minute, 2 * time.Second},
	"no answer":            {"* /** nth=2 delay=1m", time.Minute, 2 * time.Second},
	"slow":                 {"* /** delay=20ms", 20 * time.Second, 0},
	"dropped":              {"* /** nth=3 drop\n* /** nth=5 drop after", time.Minute, 2 * time.Second},
	"secondary limit, 403": {`POST /** nth=2 status=403 header="Retry-After: 1"`, 20 * time.Second, time.Second},
	"secondary limit, 429": {`POST /** nth=2 status=429 header="Retry-After: 60"`, 80 * time.Second, time.Minute},
	"limit without a time": {`PATCH /** nth=1 status=403`, 80 * time.Second, time.Minute},
	"limit with garbage":   {`POST /** nth=1 status=429 header="Retry-After: soon"`, 80 * time.Second, time.Minute},
	"limit with a date": {
		`POST /** nth=1 status=429 header="Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"`,
		80 * time.Second, time.Minute,
	},
	"limit of minus one second": {`POST /** nth=1 status=429 header="Retry-After: -1"`, 80 * time.Second, time.Minute},
}

// setbacksInTwo hit a run of GitLab that reports twice: while it goes on, and at its end.
var setbacksInTwo = map[string]setback{
	"nothing fails": {"", 40 * time.Second, 0},
	"every create is lost": {"POST /** nth=1 status=502 after\nPOST /** nth=2 cut\nPOST /** nth=3 drop " +
		"after\nPOST /** nth=4-5 status=502 after", time.Minute, 4 * time.Second},
	"ends are lost": {
		"POST /** nth=5 status=502 after\nPOST /** nth=6 cut\nPOST /** nth=7 drop after",
		time.Minute, 4 * time.Second,
	},
	"nothing done": {"* /** nth=1-2 status=502", time.Minute, 2 * time.Second},
	"edits lost":   {"PUT /** nth=1-2 status=502 after\nPUT /** nth=3 cut", time.Minute, 2 * time.Second},
	"lists half":   {"GET /** nth=1-3 cut", time.Minute, 2 * time.Second},
	"no answer":    {"* /** nth=2 delay=1m", time.Minute, 2 * time.Second},
	"dropped":      {"* /** nth=3 drop\n* /** nth=5 drop after", time.Minute, 2 * time.Second},
	"locked": {
		`POST /** nth=2 status=409 reason="Another update to this commit status is in progress"`,
		time.Minute, 2 * time.Second,
	},
	"limit of a second, 403":    {`POST /** nth=2 status=403 header="Retry-After: 1"`, 40 * time.Second, time.Second},
	"limit of a minute, 429":    {`POST /** nth=2 status=429 header="Retry-After: 60"`, 100 * time.Second, time.Minute},
	"limit without a time":      {`PUT /** nth=1 status=429`, 100 * time.Second, time.Minute},
	"limit with garbage":        {`POST /** nth=1 status=429 header="Retry-After: soon"`, 100 * time.Second, time.Minute},
	"limit of minus one second": {`POST /** nth=1 status=429 header="Retry-After: -1"`, 100 * time.Second, time.Minute},
}

func TestEverythingArrivesOnce(t *testing.T) {
	t.Parallel()
	for name, c := range setbacks {
		t.Run("GitHub/"+name, func(t *testing.T) {
			t.Parallel()
			h := gitHub(t, c.rules)
			p, clock := h.post(t.TempDir())
			c.overcome(t, h, p, clock)
		})
	}
	for name, c := range setbacksInTwo {
		t.Run("GitLab/"+name, func(t *testing.T) {
			t.Parallel()
			h := gitLab(t, c.rules)
			p, clock := h.post(t.TempDir())
			for _, key := range []string{"", "debian-12@vsphere", "debian-12@azure"} {
				p.Check(check(key, report.CheckQueued, 0))
			}
			p.Comment("it runs", false)
			if err := p.FlushNow(t.Context(), 2*time.Minute); err != nil {
				t.Error(err)
			}
			c.overcome(t, h, p, clock)
		})
	}
}

// overcome reports the end of a run.
func (c setback) overcome(t *testing.T, h served, p *post.Poster, clock *fakeClock) {
	t.Helper()
	reportAll(p)
	if left := p.Close(t.Context(), 2*time.Minute); len(left) > 0 {
		t.Errorf("not reported: %q", left)
	}
	h.arrived()
	if got := clock.total(); got > c.most || got < c.least {
		t.Errorf("%s were waited, want %s to %s: %s", got, c.least, c.most, clock.waited)
	}
	for _, rule := range h.faults.Unused() {
		t.Errorf("the fault %q hit nothing", rule)
	}
}

// What cannot be sent now ends on time, says so, and is sent later.
func TestLater(t *testing.T) {
	t.Parallel()
	type refusal struct{ rules, says string }
	for name, c := range map[string]refusal{
		"an hour": {`POST /** status=429 header="Retry-After: 3600"`, "left alone for 1h0m0s"},
		"a primary one": {
			`* /** status=403 reason="API rate limit exceeded" header="X-RateLimit-Remaining: 0"`,
			"left alone for",
		},
		"always 502":     {"* /** status=502", "502"},
		"lost, each one": {"POST /** status=502 after\nPATCH /** status=502 after", "502"},
		"no connection":  {"* /** drop", "EOF"},
		"token expired":  {"* /** nth=3- status=401 reason=\"Bad credentials\"", "401 Bad credentials"},
	} {
		t.Run("GitHub/"+name, func(t *testing.T) { t.Parallel(); sentLater(t, gitHub(t, c.rules), c.says) })
	}
	for name, c := range map[string]refusal{
		"an hour":        {`POST /** status=429 header="Retry-After: 3600"`, "GitLab has to be left alone for 1h0m0s"},
		"a primary one":  {`* /** status=403 reason="limit" header="RateLimit-Remaining: 0"`, "left alone for"},
		"always 502":     {"* /** status=502", "502"},
		"lost, each one": {"POST /** status=502 after\nPUT /** status=502 after", "502"},
		"no connection":  {"* /** drop", "EOF"},
		"half a list":    {"GET /** cut\nPOST /** nth=1 status=502 after", "unexpected"},
	} {
		t.Run("GitLab/"+name, func(t *testing.T) { t.Parallel(); sentLater(t, gitLab(t, c.rules), c.says) })
	}
}

func sentLater(t *testing.T, h served, says string) {
	t.Helper()
	dir := t.TempDir()
	p, clock := h.post(filepath.Join(dir, mkdir(t, dir, runID)))
	reportAll(p)
	left := strings.Join(p.Close(t.Context(), 30*time.Second), "\n")
	if !strings.Contains(left, says) || !strings.Contains(left, "are kept in") {
		t.Errorf("it says %q, want %q", left, says)
	}
	if got := clock.total(); got > 30*time.Second {
		t.Errorf("%s were waited", got)
	}
	h.faults.Clear()
	fresh := post.WithClock((&fakeClock{now: begin}).clock(), time.Second)
	before := h.calls()
	other := post.Access{System: of("gitlab"), API: h.access.API, Token: token}
	if h.access.System.Name == "gitlab" {
		other.System = of("github")
	}
	out, err := post.Flush(t.Context(), dir, other, time.Minute, fresh)
	if err != nil || len(out) > 0 || h.calls() != before {
		t.Errorf("the other system's token was tried: %v %q", err, out)
	}
	out, err = post.Flush(t.Context(), dir, h.access, time.Minute, fresh)
	if err != nil || len(out) > 0 || h.calls() == before {
		t.Fatalf("flushing: %v %q, %d requests", err, out, h.calls()-before)
	}
	h.arrived()
	before = h.calls()
	if out, err := post.Flush(t.Context(), dir, h.access, time.Minute); err != nil || len(out) > 0 || h.calls() != before {
		t.Errorf("a second flush: %v %q, %d requests", err, out, h.calls()-before)
	}
}
