// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:59:00Z
// Spec: openspec/specs/posting/spec.md#requirement-creations-happen-once
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	forgegithub "github.com/packer-hybrid/packer-hybrid/forge/github"
	forgegitlab "github.com/packer-hybrid/packer-hybrid/forge/gitlab"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
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

// of is a forge that reports are sent to.
func of(name string) post.System {
	return map[string]post.System{"github": forgegithub.System(), "gitlab": forgegitlab.System()}[name]
}

// fakeClock does not wait: its time goes on by what it is asked to wait.
type fakeClock struct {
	mu     sync.Mutex
	now    time.Time
	waited []time.Duration
}

func (f *fakeClock) clock() post.Clock {
	return post.Clock{
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
	s := labtest.GitHub(t, config)
	if err := s.Faults().Load(rules); err != nil {
		t.Fatal(err)
	}
	return s
}

func address(number int64) post.Address {
	return post.Address{
		Repository: "o/r", Commit: commit, Change: 7, Run: runID, Number: number, Attempt: 1,
		URL: "https://github.example/o/r/actions/runs/1", Slot: "report", Login: bot,
	}
}

func hubAccess(s *github.Server) post.Access {
	return post.Access{System: of("github"), API: s.URL(), Token: token}
}

// quiet is a poster that sends in Close only, so that its requests are the same every time.
func quiet(t *testing.T, dir string, s *github.Server, number int64) (*post.Poster, *fakeClock) {
	t.Helper()
	clock := &fakeClock{now: begin}
	p, err := post.New(dir, address(number), hubAccess(s), post.WithClock(clock.clock(), post.RequestTimeout))
	if err != nil {
		t.Fatal(err)
	}
	p.Quiet()
	return p, clock
}

func check(key, status string, annotations int) report.Check {
	c := report.Check{
		Key: key, Name: "packer-hybrid lab/" + key, Status: status, Title: status, Summary: "of " + key,
		Started: begin,
	}
	if status == report.CheckCompleted {
		c.Conclusion, c.Completed = report.Failure, begin.Add(time.Minute)
	}
	for i := range annotations {
		c.Annotations = append(c.Annotations,
			report.Annotation{Path: "a.hcl", Line: i + 1, Level: report.LevelWarning, Message: fmt.Sprint("finding ", i)})
	}
	return c
}

// reportAll is a whole run's: three checks, one with annotations, and the comment.
func reportAll(p *post.Poster) {
	for _, key := range []string{"", "debian-12@vsphere", "debian-12@azure"} {
		p.Check(check(key, report.CheckRunning, 0))
	}
	p.Comment("it runs", false)
	p.Check(check("debian-12@vsphere", report.CheckCompleted, 120))
	p.Check(check("debian-12@azure", report.CheckCompleted, 0))
	p.Check(check("", report.CheckCompleted, 0))
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

func TestFork(t *testing.T) {
	t.Parallel()
	s := serve(t, func(c *github.Config) { c.Denied = []string{"checks", "issues"} }, "")
	p, _ := quiet(t, t.TempDir(), s, 1)
	reportAll(p)
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
	reportAll(p)
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
	reportAll(p)
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
	p, err := post.New(t.TempDir(), address(1), hubAccess(s))
	if err != nil {
		t.Fatal(err)
	}
	reportAll(p)
	started := time.Now()
	left := p.Close(t.Context(), 300*time.Millisecond)
	if took := time.Since(started); took > 5*time.Second || len(left) == 0 {
		t.Errorf("it took %s and says %q", took, left)
	}
}
