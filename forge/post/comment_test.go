// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:03:00Z
// Spec: openspec/specs/posting/spec.md#requirement-one-comment
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
)

// say posts one comment as a run of its own, and returns what was not reported.
func say(t *testing.T, s *github.Server, number int64, text string) string {
	t.Helper()
	p, _ := quiet(t, t.TempDir(), s, number)
	p.Comment(text, true)
	return strings.Join(p.Close(t.Context(), time.Minute), "\n")
}

func bodies(s *github.Server) []string {
	var all []string
	for _, c := range s.Comments() {
		all = append(all, fmt.Sprint(c["body"]))
	}
	return all
}

func TestANewerRunEditsTheComment(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	for range 120 { // the comment is on the second page
		s.AddComment(7, "somebody", "hello")
	}
	for number := range int64(3) {
		if left := say(t, s, number+1, fmt.Sprint("of run ", number+1)); left != "" {
			t.Error(left)
		}
	}
	all := bodies(s)
	last := all[len(all)-1]
	if len(all) != 121 || !strings.Contains(last, "of run 3") || !strings.Contains(last, "run=3.1 commit="+commit) ||
		!strings.Contains(last, "Commit `c0ffee00c0ff`, run `"+runID+"` ([log](https://github.example/o/r/actions/runs/1))") {
		t.Errorf("%d comments, the last says %q", len(all), last)
	}
}

func TestAnOlderRunLeavesTheComment(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	say(t, s, 8, "of run 8")
	if left := say(t, s, 7, "of run 7"); !strings.Contains(left, "superseded by a newer run") {
		t.Errorf("run 7 says %q", left)
	}
	if all := bodies(s); len(all) != 1 || !strings.Contains(all[0], "of run 8") {
		t.Errorf("comments %q", all)
	}
}

// The older run has made the comment, the newer one takes it over, the older one ends last.
func TestAnOlderRunEndsLast(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	old, _ := quiet(t, t.TempDir(), s, 7)
	old.Comment("it runs", false)
	if err := old.FlushNow(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	say(t, s, 8, "of run 8")
	old.Comment("of run 7", true)
	if left := strings.Join(old.Close(t.Context(), time.Minute), "\n"); !strings.Contains(left, "superseded") {
		t.Errorf("run 7 says %q", left)
	}
	if all := bodies(s); len(all) != 1 || !strings.Contains(all[0], "of run 8") {
		t.Errorf("comments %q", all)
	}
}

func TestOthersCommentsStay(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	mark := post.Stamp(address(9))
	others := []string{
		mark + "a copy of ours",
		"> " + mark + "quoted",
		strings.Replace(mark, "packer-hybrid:report", "packer-hybrid:other", 1) + "another slot",
	}
	s.AddComment(7, "mallory", others[0])
	s.AddComment(7, bot, others[1])
	s.AddComment(7, bot, others[2])
	if left := say(t, s, 1, "ours"); left != "" {
		t.Error(left)
	}
	all := bodies(s)
	if len(all) != 4 || all[0] != others[0] || all[1] != others[1] || all[2] != others[2] ||
		!strings.Contains(all[3], "ours") {
		t.Errorf("comments %q", all)
	}
}

func TestSecondCommentsAreRemoved(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	s.AddComment(7, bot, post.Stamp(address(1))+"one")
	s.AddComment(7, bot, post.Stamp(address(2))+"two")
	if left := say(t, s, 3, "three"); left != "" {
		t.Error(left)
	}
	if all := bodies(s); len(all) != 1 || !strings.Contains(all[0], "three") {
		t.Errorf("comments %q", all)
	}
}

// Two runs look, see no comment, and only then make one each: a proxy holds the
// first creation until the second arrives.
func TestTwoFirstCommentsAtOnce(t *testing.T) {
	t.Parallel()
	for range 5 { // whose is the older one is up to the server
		s := serve(t, nil, "")
		target, err := url.Parse(s.URL())
		if err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		both.Add(2)
		forward := httputil.NewSingleHostReverseProxy(target)
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				both.Done()
				both.Wait()
			}
			r.Host = target.Host
			forward.ServeHTTP(w, r)
		}))
		var runs sync.WaitGroup
		for number := range int64(2) {
			runs.Go(func() {
				p, err := post.New(t.TempDir(), address(number+1), post.Access{System: of("github"), API: front.URL, Token: token},
					post.WithClock((&fakeClock{now: begin}).clock(), post.RequestTimeout))
				if err != nil {
					t.Error(err)
					return
				}
				p.Comment(fmt.Sprint("of run ", number+1), true)
				left := strings.Join(p.Close(t.Context(), time.Minute), "\n")
				if left != "" && (number == 1 || !strings.Contains(left, "superseded")) {
					t.Errorf("run %d says %q", number+1, left)
				}
			})
		}
		runs.Wait()
		front.Close()
		if all := bodies(s); len(all) != 1 || !strings.Contains(all[0], "of run 2") {
			t.Errorf("comments %q", all)
		}
	}
}

func TestADeletedCommentIsMadeAgain(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	p, _ := quiet(t, t.TempDir(), s, 1)
	p.Comment("it runs", false)
	if err := p.FlushNow(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := p.RemoveComment(t.Context()); err != nil || len(bodies(s)) != 0 {
		t.Fatal(err, bodies(s))
	}
	p.Comment("it is over", true)
	if left := p.Close(t.Context(), time.Minute); len(left) > 0 {
		t.Errorf("%q", left)
	}
	if all := bodies(s); len(all) != 1 || !strings.Contains(all[0], "it is over") {
		t.Errorf("comments %q", all)
	}
}

func TestASecondCommentThatStaysIsNoFailure(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "DELETE /** status=403 reason=\"Resource not accessible by integration\"")
	s.AddComment(7, bot, post.Stamp(address(1))+"one")
	s.AddComment(7, bot, post.Stamp(address(2))+"two")
	if left := say(t, s, 3, "three"); !strings.Contains(left, "a second comment is still there") {
		t.Errorf("it says %q", left)
	}
	if all := bodies(s); len(all) != 2 || !strings.Contains(all[0], "three") {
		t.Errorf("comments %q", all)
	}
}

func TestTooLongATextIsCut(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	p, _ := quiet(t, t.TempDir(), s, 1)
	c := check("x", report.CheckCompleted, 0)
	c.Summary = strings.Repeat("😀", 40_000)
	c.Text = strings.Repeat("a line\n", 20_000)
	p.Check(c)
	p.Comment(strings.Repeat("é😀\n", 30_000), true)
	if left := p.Close(t.Context(), time.Minute); len(left) > 0 {
		t.Errorf("%q", left)
	}
	output, _ := s.Checks()[0]["output"].(github.Object)
	for _, text := range []string{fmt.Sprint(output["summary"]), fmt.Sprint(output["text"]), bodies(s)[0]} {
		if !strings.Contains(text, "The rest does not fit here.") || strings.Contains(text, "\ufffd") {
			t.Errorf("it ends with %q", text[len(text)-100:])
		}
	}
}

func TestAddressesThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*post.Address){
		"repository": func(a *post.Address) { a.Repository = "o/r/../x" },
		"dots":       func(a *post.Address) { a.Repository = "../r" },
		"query":      func(a *post.Address) { a.Repository = "o/r?x" },
		"commit":     func(a *post.Address) { a.Commit = "main" },
		"slot":       func(a *post.Address) { a.Slot = "a -->" },
		"run":        func(a *post.Address) { a.Run = "x\n<b>" },
		"url":        func(a *post.Address) { a.URL = "https://x/) @everyone" },
	} {
		bad := address(1)
		change(&bad)
		if p, err := post.New(t.TempDir(), bad, post.Access{System: of("github"), Token: token}); err == nil {
			p.Close(t.Context(), 0)
			t.Errorf("%s was taken", name)
		}
	}
}

// Steps come late or not at all, but never before what is wanted for good, and
// never more often than every 15 seconds.
func TestSteps(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	p, clock := quiet(t, t.TempDir(), s, 1)
	c := check("debian-12@vsphere", report.CheckRunning, 0)
	p.Check(c)
	step := func(title string) string {
		c.Title = title
		p.Step(c)
		if err := p.FlushNow(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		output, _ := s.Checks()[0]["output"].(github.Object)
		return fmt.Sprint(output["title"])
	}
	clock.now = clock.now.Add(time.Hour)
	got := []string{step("one"), step("two"), step("three")}
	clock.now = clock.now.Add(post.StepPause)
	got = append(got, step("four"))
	if text := strings.Join(got, " "); text != "one one one four" {
		t.Errorf("it shows %s", text)
	}
	p.Check(check("debian-12@vsphere", report.CheckCompleted, 0))
	p.Step(c) // of a check that is over
	p.Close(t.Context(), time.Minute)
	if got := s.Checks()[0]["status"]; got != "completed" {
		t.Errorf("it is %v", got)
	}
}

// However many steps there are, results have room in GitHub's limit of an hour.
func TestStepsLeaveRoomForResults(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	p, clock := quiet(t, t.TempDir(), s, 1)
	c := check("x", report.CheckRunning, 0)
	p.Check(c)
	for i := range 230 {
		clock.now = clock.now.Add(post.StepPause + time.Millisecond)
		c.Title = fmt.Sprint("step ", i)
		p.Step(c)
		if err := p.FlushNow(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.Calls()); n != post.MaxSteps+1 {
		t.Errorf("%d requests, want %d", n, post.MaxSteps+1)
	}
	p.Check(check("x", report.CheckCompleted, 0))
	p.Close(t.Context(), time.Minute)
	if got := s.Checks()[0]["status"]; got != "completed" {
		t.Errorf("it is %v", got)
	}
}

// The end of a run does not ask again what GitHub said to wait for.
func TestALimitHoldsForTheEnd(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, `POST /** nth=1 status=429 header="Retry-After: 40"`)
	p, clock := quiet(t, t.TempDir(), s, 1)
	p.Check(check("x", report.CheckRunning, 0))
	if err := p.FlushNow(t.Context(), 10*time.Second); err == nil {
		t.Error("forty seconds fit into ten")
	}
	if left := p.Close(t.Context(), time.Minute); len(left) > 0 || clock.total() < 40*time.Second || len(s.Checks()) != 1 {
		t.Errorf("%q after %s, %d check-runs", left, clock.total(), len(s.Checks()))
	}
}

// A run that goes on reports from several goroutines while requests fail.
func TestLive(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "POST /** nth=2 status=502 after")
	dir := t.TempDir()
	clock := &fakeClock{now: begin}
	p, err := post.New(filepath.Join(dir, mkdir(t, dir, runID)), address(1), hubAccess(s),
		post.WithClock(clock.clock(), time.Second))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for i := range 100 {
			c := check("debian-12@vsphere", report.CheckRunning, 0)
			c.Title = fmt.Sprint("step ", i)
			p.Step(c)
		}
	}()
	reportAll(p)
	if left := p.Close(t.Context(), time.Minute); len(left) > 0 {
		t.Errorf("%q", left)
	}
	arrived(t, s)
}
