// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:59:00Z
// Spec: openspec/specs/posting/spec.md#requirement-creations-happen-once
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
)

const (
	token = "ghs_of_a_test"
	bot   = "github-actions[bot]"
	runID = "20261123t030000-1a2b3c4d"
)

var (
	commit = strings.Repeat("c0ffee00", 5)
	begin  = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
)

// fakeClock does not wait: its time goes on by what it is asked to wait.
type fakeClock struct {
	mu     sync.Mutex
	now    time.Time
	waited []time.Duration
}

func (f *fakeClock) clock() Clock {
	return Clock{
		Now: func() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.now, f.waited = f.now.Add(d), append(f.waited, d)
			return ctx.Err()
		},
	}
}

// total is how long was waited.
func (f *fakeClock) total() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now.Sub(begin)
}

func serve(t *testing.T, change func(*github.Config), rules string) *github.Server {
	t.Helper()
	config := github.Config{Repository: "o/r", Token: token, Login: bot, Commits: []string{commit}, Change: 7}
	if change != nil {
		change(&config)
	}
	s, err := github.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, v := range s.Violations() {
			t.Error("GitHub's description: ", v)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Faults().Load(rules); err != nil {
		t.Fatal(err)
	}
	return s
}

func address(number int64) Address {
	return Address{
		Repository: "o/r", Commit: commit, Change: 7, Run: runID, Number: number, Attempt: 1,
		URL: "https://github.example/o/r/actions/runs/1", Slot: "report", Login: bot,
	}
}

// quiet is a poster that sends in Close only, so that its requests are the same every time.
func quiet(t *testing.T, dir string, s *github.Server, number int64) (*Poster, *fakeClock) {
	t.Helper()
	clock := &fakeClock{now: begin}
	p, err := New(dir, address(number), Access{API: s.URL(), Token: token}, WithClock(clock.clock(), requestTimeout))
	if err != nil {
		t.Fatal(err)
	}
	p.stop()
	p.done.Wait()
	return p, clock
}

func check(key, status string, annotations int) checks.Check {
	c := checks.Check{Key: key, Name: "packer-hybrid lab/" + key, Status: status, Title: status, Summary: "of " + key, Started: begin}
	if status == checks.CheckCompleted {
		c.Conclusion, c.Completed = checks.Failure, begin.Add(time.Minute)
	}
	for i := range annotations {
		c.Annotations = append(c.Annotations, checks.Annotation{Path: "a.hcl", Line: i + 1, Level: checks.LevelWarning, Message: fmt.Sprint("finding ", i)})
	}
	return c
}

// report is a whole run's: three checks, one with annotations, and the comment.
func report(p *Poster) {
	for _, key := range []string{"", "debian-12@vsphere", "debian-12@azure"} {
		p.Check(check(key, checks.CheckRunning, 0))
	}
	p.Comment("it runs", false)
	p.Check(check("debian-12@vsphere", checks.CheckCompleted, 120))
	p.Check(check("debian-12@azure", checks.CheckCompleted, 0))
	p.Check(check("", checks.CheckCompleted, 0))
	p.Comment("it is over", true)
}

// arrived fails when anything of report is missing or there twice.
func arrived(t *testing.T, s *github.Server) {
	t.Helper()
	seen := map[string]int{}
	for _, c := range s.Checks() {
		name := fmt.Sprint(c["name"])
		seen[name]++
		if c["status"] != "completed" || c["conclusion"] != "failure" {
			t.Errorf("%s is %v %v", name, c["status"], c["conclusion"])
		}
		want := 0
		if strings.HasSuffix(name, "@vsphere") {
			want = 120
		}
		messages := map[string]bool{}
		all, _ := c["annotations"].([]any)
		for _, a := range all {
			one, _ := a.(map[string]any)
			messages[fmt.Sprint(one["message"])] = true
		}
		if len(all) != want || len(messages) != want {
			t.Errorf("%s has %d annotations, %d of them different; want %d", name, len(all), len(messages), want)
		}
	}
	if len(seen) != 3 || len(s.Checks()) != 3 {
		t.Errorf("check-runs %v, want three, each once", seen)
	}
	comments := s.Comments()
	if len(comments) != 1 || !strings.Contains(fmt.Sprint(comments[0]["body"]), "it is over") {
		t.Errorf("comments %v, want one with the end", comments)
	}
}

func TestEverythingArrivesOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules string
		most  time.Duration // that may be waited
		least time.Duration
	}{
		"nothing fails":             {"", 20 * time.Second, 0},
		"every create is lost":      {"POST /** nth=1 status=502 after\nPOST /** nth=2 cut\nPOST /** nth=3 drop after\nPOST /** nth=4 status=502 after", time.Minute, 4 * time.Second},
		"first answers lost":        {"POST /** nth=1-2 status=502 after", time.Minute, 2 * time.Second},
		"nothing done":              {"* /** nth=1-2 status=502", time.Minute, 2 * time.Second},
		"updates lost":              {"PATCH /** nth=1-3 status=502 after", time.Minute, 2 * time.Second},
		"updates half":              {"PATCH /** nth=1-2 cut", time.Minute, 2 * time.Second},
		"lists half":                {"GET /** nth=1-2 cut", time.Minute, 2 * time.Second},
		"no answer":                 {"* /** nth=2 delay=1m", time.Minute, 2 * time.Second},
		"slow":                      {"* /** delay=20ms", 20 * time.Second, 0},
		"dropped":                   {"* /** nth=3 drop\n* /** nth=5 drop after", time.Minute, 2 * time.Second},
		"secondary limit, 403":      {`POST /** nth=2 status=403 header="Retry-After: 1"`, 20 * time.Second, time.Second},
		"secondary limit, 429":      {`POST /** nth=2 status=429 header="Retry-After: 60"`, 80 * time.Second, time.Minute},
		"limit without a time":      {`PATCH /** nth=1 status=403`, 80 * time.Second, time.Minute},
		"limit with garbage":        {`POST /** nth=1 status=429 header="Retry-After: soon"`, 80 * time.Second, time.Minute},
		"limit with a date":         {`POST /** nth=1 status=429 header="Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"`, 80 * time.Second, time.Minute},
		"limit of minus one second": {`POST /** nth=1 status=429 header="Retry-After: -1"`, 80 * time.Second, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil, c.rules)
			p, clock := quiet(t, t.TempDir(), s, 1)
			if strings.Contains(c.rules, "delay=1m") {
				p.sender.hub.timeout = 500 * time.Millisecond // by a clock that is real
			}
			report(p)
			if left := p.Close(t.Context(), 2*time.Minute); len(left) > 0 {
				t.Errorf("not reported: %q", left)
			}
			arrived(t, s)
			if got := clock.total(); got > c.most || got < c.least {
				t.Errorf("%s were waited, want %s to %s: %s", got, c.least, c.most, clock.waited)
			}
			for _, rule := range s.Faults().Unused() {
				t.Errorf("the fault %q hit nothing", rule)
			}
		})
	}
}

// What cannot be sent now ends on time, says so, and is sent later.
func TestLater(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ rules, says string }{
		"an hour":        {`POST /** status=429 header="Retry-After: 3600"`, "left alone for 1h0m0s"},
		"a primary one":  {`* /** status=403 reason="API rate limit exceeded" header="X-RateLimit-Remaining: 0"`, "left alone for"},
		"always 502":     {"* /** status=502", "502"},
		"lost, each one": {"POST /** status=502 after\nPATCH /** status=502 after", "502"},
		"no connection":  {"* /** drop", "EOF"},
		"token expired":  {"* /** nth=3- status=401 reason=\"Bad credentials\"", "401 Bad credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, nil, c.rules)
			dir := t.TempDir()
			p, clock := quiet(t, dir+"/"+mkdir(t, dir, runID), s, 1)
			report(p)
			left := strings.Join(p.Close(t.Context(), 30*time.Second), "\n")
			if !strings.Contains(left, c.says) || !strings.Contains(left, "are kept in") {
				t.Errorf("it says %q, want %q", left, c.says)
			}
			if got := clock.total(); got > 30*time.Second {
				t.Errorf("%s were waited", got)
			}
			s.Faults().Clear()
			access := Access{API: s.URL(), Token: token}
			out, err := Flush(t.Context(), dir, access, time.Minute, WithClock((&fakeClock{now: begin}).clock(), time.Second))
			if err != nil || len(out) > 0 {
				t.Fatalf("flushing: %v %q", err, out)
			}
			arrived(t, s)
			before := len(s.Calls())
			if out, err := Flush(t.Context(), dir, access, time.Minute); err != nil || len(out) > 0 || len(s.Calls()) != before {
				t.Errorf("a second flush: %v %q, %d requests", err, out, len(s.Calls())-before)
			}
		})
	}
}

func TestFork(t *testing.T) {
	t.Parallel()
	s := serve(t, func(c *github.Config) { c.Denied = []string{"checks", "issues"} }, "")
	p, _ := quiet(t, t.TempDir(), s, 1)
	report(p)
	left := strings.Join(p.Close(t.Context(), time.Minute), "\n")
	if !strings.Contains(left, "Resource not accessible by integration") || !strings.Contains(left, "and 2 more") {
		t.Errorf("it says %q", left)
	}
	writes := 0
	for _, c := range s.Calls() {
		if c.Method != "GET" {
			writes++
		}
	}
	if writes != 2 {
		t.Errorf("%d requests tried to write, want one for each permission: %v", writes, s.Calls())
	}
}

func TestOneRefusalCostsOneReport(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "POST /repos/o/r/check-runs nth=1 status=422 reason=\"no such commit\"")
	p, _ := quiet(t, t.TempDir(), s, 1)
	report(p)
	left := p.Close(t.Context(), time.Minute)
	if len(left) != 0 && !strings.Contains(strings.Join(left, "\n"), "no such commit") {
		t.Errorf("it says %q", left)
	}
	if len(s.Comments()) != 1 || len(s.Checks()) < 2 {
		t.Errorf("%d comments and %d check-runs", len(s.Comments()), len(s.Checks()))
	}
}

func TestOnlyTheLatestStateIsSent(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	p, _ := quiet(t, t.TempDir(), s, 1)
	report(p)
	p.Close(t.Context(), time.Minute)
	// three check-runs, of which one needs two more requests for 120 annotations, and the comment
	if writes := len(s.Calls()) - 2; writes != 6 {
		t.Errorf("%d requests besides the two lists of comments, want 6: %v", writes, s.Calls())
	}
}

func mkdir(t *testing.T, dir, name string) string {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

// A GitHub that never answers does not hold a job: by the system's own clock.
func TestClosingEndsOnTime(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "* /** delay=1m")
	p, err := New(t.TempDir(), address(1), Access{API: s.URL(), Token: token})
	if err != nil {
		t.Fatal(err)
	}
	report(p)
	started := time.Now()
	left := p.Close(t.Context(), 300*time.Millisecond)
	if took := time.Since(started); took > 5*time.Second || len(left) == 0 {
		t.Errorf("it took %s and says %q", took, left)
	}
}
