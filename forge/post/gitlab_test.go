// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:06:00Z
// Spec: openspec/specs/posting/spec.md#requirement-two-systems
// Diagram: openspec/specs/posting/diagram.md#states-of-a-commit-status

package post_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/gitlab"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
)

const (
	labProject  = "acme/golden/images"
	labPipeline = 500
)

var (
	merge  = strings.Repeat("deadbeef", 5)
	robot  = gitlab.User{ID: 90, Username: "project_7_bot", Level: gitlab.Developer}
	person = gitlab.User{ID: 31, Username: "mara", Level: gitlab.Developer}
)

// serveGitLab is a GitLab with a pipeline of the merge request 42.
func serveGitLab(t *testing.T, change func(*gitlab.Config), rules string) *gitlab.Server {
	t.Helper()
	config := gitlab.Config{
		Project: labProject, ID: 7, Token: token, JobToken: "job-token", Self: robot, Users: []gitlab.User{person},
		Change: 42,
		Refs:   map[string]string{"change": commit, "main": strings.Repeat("0badcafe", 5)},
	}
	if change != nil {
		change(&config)
	}
	s := labtest.GitLab(t, config)
	s.AddPipeline(labPipeline, "refs/merge-requests/42/head", commit, "merge_request_event")
	if err := s.Faults().Load(rules); err != nil {
		t.Fatal(err)
	}
	return s
}

// jobAddress is a job's of the pipeline.
func jobAddress(pipeline, job int64) post.Address {
	return post.Address{
		System: "gitlab", Repository: labProject, Commit: commit, Change: 42, Run: runID, Number: pipeline, Attempt: job,
		URL: fmt.Sprintf("https://gitlab.example/acme/golden/images/-/jobs/%d", job), Slot: "report",
	}
}

func labAccess(s *gitlab.Server) post.Access {
	return post.Access{System: of("gitlab"), API: s.URL(), Token: token}
}

// quietGitLab is quiet for GitLab.
func quietGitLab(t *testing.T, dir string, s *gitlab.Server, at post.Address) (*post.Poster, *fakeClock) {
	t.Helper()
	clock := &fakeClock{now: begin}
	p, err := post.New(dir, at, labAccess(s), post.WithClock(clock.clock(), post.RequestTimeout))
	if err != nil {
		t.Fatal(err)
	}
	p.Quiet()
	return p, clock
}

// arrivedAtGitLab fails when anything of report is missing or there twice.
func arrivedAtGitLab(t *testing.T, s *gitlab.Server) {
	t.Helper()
	names := map[string]bool{}
	for _, o := range s.Statuses() {
		names[fmt.Sprint(o["name"])] = true
		if o["status"] != "failed" || o["description"] != "completed" || o["pipeline_id"] != int64(labPipeline) ||
			o["retried"] == true ||
			!strings.HasSuffix(fmt.Sprint(o["target_url"]), "/-/jobs/11#"+runID) {
			t.Errorf("the commit status is %v", o)
		}
	}
	if len(names) != 3 || len(s.Statuses()) != 3 {
		t.Errorf("%d statuses with the names %v, want three, each once", len(s.Statuses()), names)
	}
	notes := s.Notes()
	if len(notes) != 1 || !strings.Contains(fmt.Sprint(notes[0]["body"]), "it is over") {
		t.Errorf("notes %v, want one with the end", notes)
	}
}

// Without permission one request of each kind finds out, and the end says what is needed.
func TestTokensThatMayNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*gitlab.Config)
		writes int
		says   string
	}{
		"the job's own": {
			func(c *gitlab.Config) { c.Token, c.JobToken = "another", token }, 1,
			"CI_JOB_TOKEN cannot write notes",
		},
		"a guest's":    {func(c *gitlab.Config) { c.Self.Level = gitlab.Guest }, 2, "the role Developer"},
		"a stranger's": {func(c *gitlab.Config) { c.Self.Level = 0 }, 1, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveGitLab(t, c.change, "")
			p, clock := quietGitLab(t, t.TempDir(), s, jobAddress(labPipeline, 11))
			reportAll(p)
			left := strings.Join(p.Close(t.Context(), time.Minute), "\n")
			if !strings.Contains(left, c.says) || !strings.Contains(left, "and 2 more") || strings.Contains(left, token) {
				t.Errorf("it says %q, want %q", left, c.says)
			}
			writes := 0
			for _, call := range s.Calls() {
				if call.Method != "GET" {
					writes++
				}
			}
			if writes > c.writes || clock.total() > 10*time.Second {
				t.Errorf("%d requests tried to write, want at most %d: %v", writes, c.writes, s.Calls())
			}
		})
	}
}

// tell posts one note as a run of its own, and returns what was not reported.
func tell(t *testing.T, s *gitlab.Server, at post.Address, text string) string {
	t.Helper()
	p, _ := quietGitLab(t, t.TempDir(), s, at)
	p.Comment(text, true)
	return strings.Join(p.Close(t.Context(), time.Minute), "\n")
}

func noteBodies(s *gitlab.Server) []string {
	var all []string
	for _, n := range s.Notes() {
		all = append(all, fmt.Sprint(n["body"]))
	}
	return all
}

func TestOneNote(t *testing.T) {
	t.Parallel()
	s := serveGitLab(t, nil, "")
	for range 120 { // the note is on the second page
		s.AddNote(person, "hello")
	}
	mark := post.Stamp(jobAddress(9, 1))
	s.AddNote(person, mark+"a copy of ours")
	s.AddNote(robot, "> "+mark+"quoted")
	s.AddSystemNote(robot, mark+"approved this merge request")
	others := len(s.Notes())
	for number := range int64(3) {
		if left := tell(t, s, jobAddress(500+number, 11), fmt.Sprint("of pipeline ", number)); left != "" {
			t.Error(left)
		}
	}
	if left := tell(t, s, jobAddress(502, 10), "of an earlier job"); !strings.Contains(left, "superseded by a newer run") {
		t.Errorf("an earlier job says %q", left)
	}
	if left := tell(t, s, jobAddress(502, 12_345_678_901), "of a retried job"); left != "" {
		t.Error(left)
	}
	if left := tell(t, s, jobAddress(501, 99), "of an older pipeline"); !strings.Contains(left,
		"superseded by a newer run") {
		t.Errorf("an older pipeline says %q", left)
	}
	all := noteBodies(s)
	last := all[len(all)-1]
	if len(all) != others+1 || !strings.Contains(last, "of a retried job") ||
		!strings.Contains(last, "run=502.12345678901 commit="+commit) ||
		!strings.Contains(last, "([log](https://gitlab.example/acme/golden/images/-/jobs/12345678901))") {
		t.Errorf("%d notes, want %d; the last says %q", len(all), others+1, last)
	}
}

func TestSecondNotesAreRemovedAndDeletedOnesMadeAgain(t *testing.T) {
	t.Parallel()
	s := serveGitLab(t, nil, "")
	s.AddNote(robot, post.Stamp(jobAddress(1, 1))+"one")
	s.AddNote(robot, post.Stamp(jobAddress(2, 1))+"two")
	p, _ := quietGitLab(t, t.TempDir(), s, jobAddress(3, 1))
	p.Comment("it runs", false)
	if err := p.FlushNow(t.Context(), time.Minute); err != nil || len(s.Notes()) != 1 {
		t.Fatal(err, noteBodies(s))
	}
	if err := p.RemoveComment(t.Context()); err != nil ||
		len(s.Notes()) != 0 {
		t.Fatal(err, noteBodies(s))
	}
	p.Comment("it is over", true)
	if left := p.Close(t.Context(), time.Minute); len(left) > 0 {
		t.Errorf("%q", left)
	}
	if all := noteBodies(s); len(all) != 1 || !strings.Contains(all[0], "it is over") {
		t.Errorf("notes %q", all)
	}
}

// No line of a note is an order to GitLab, and nothing else changes.
func TestQuickActionsAreDisarmed(t *testing.T) {
	t.Parallel()
	s := serveGitLab(t, nil, "")
	text := "see\n/approve\n\t/merge\r\n```\n/close\n```\n  /label ~x\r/assign me\nand/or /usr/bin"
	if left := tell(t, s, jobAddress(1, 1), text); left != "" {
		t.Error(left)
	}
	body := noteBodies(s)[0]
	if got := strings.ReplaceAll(body, "\u2060", ""); !strings.Contains(got, strings.ReplaceAll(text, "\r", "")) ||
		!strings.Contains(body, "and/or /usr/bin") {
		t.Errorf("the note is %q", body)
	}
}

// A pipeline for merged results: statuses at its commit, the note about the change's.
func TestMergedResults(t *testing.T) {
	t.Parallel()
	s := serveGitLab(t, nil, "")
	s.AddPipeline(600, "refs/merge-requests/42/merge", merge, "merge_request_event")
	at := jobAddress(600, 11)
	at.Pipelined = merge
	p, _ := quietGitLab(t, t.TempDir(), s, at)
	reportAll(p)
	if left := p.Close(t.Context(), time.Minute); len(left) > 0 {
		t.Error(left)
	}
	for _, o := range s.Statuses() {
		if o["sha"] != merge || o["pipeline_id"] != int64(600) {
			t.Errorf("the status is %v", o)
		}
	}
	if body := noteBodies(s)[0]; len(s.Statuses()) != 3 || !strings.Contains(body, "commit="+commit) {
		t.Errorf("%d statuses, the note is %q", len(s.Statuses()), body)
	}
}

// A retried job has statuses of its own, whether the answer to its first one is
// lost or the request; those of the first attempt are hidden by GitLab.
func TestARetriedJob(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{"POST /** nth=4 status=502 after", "POST /** nth=4 status=502"} {
		s := serveGitLab(t, nil, rule)
		for job := range int64(2) {
			p, _ := quietGitLab(t, t.TempDir(), s, jobAddress(labPipeline, 11+job))
			for _, status := range []string{report.CheckQueued, report.CheckRunning, report.CheckCompleted} {
				p.Check(check("x", status, 0))
				if err := p.FlushNow(t.Context(), time.Minute); err != nil {
					t.Fatal(err)
				}
			}
			p.Close(t.Context(), time.Minute)
		}
		all := s.Statuses()
		if len(all) != 2 || all[0]["retried"] != true || all[1]["retried"] != false || all[1]["status"] != "failed" {
			t.Errorf("%s: statuses %v", rule, all)
		}
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	s := serveGitLab(t, nil, "")
	p, clock := quietGitLab(t, t.TempDir(), s, jobAddress(labPipeline, 11))
	r := build(3000)
	before := r
	before.Record = nil
	state := func() string {
		t.Helper()
		if err := p.FlushNow(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		all := ""
		for _, o := range s.Statuses() {
			all += strings.TrimPrefix(fmt.Sprint(o["name"]), "packer-hybrid build lab") + ":" + fmt.Sprint(o["status"]) + " "
		}
		return all
	}
	p.Report(before)
	want := ":running /debian-12@proxmox:pending /debian-12@vsphere:pending /debian-12@azure:"
	if got := state(); got != want+"pending " {
		t.Errorf("planned: %s", got)
	}
	p.Report(before)
	writes := len(s.Calls())
	for _, kind := range []hybridcore.EventKind{
		hybridcore.EventStart, hybridcore.EventStep, hybridcore.EventStep,
		hybridcore.EventDone,
	} {
		clock.now = clock.now.Add(time.Minute)
		p.Event(hybridcore.Event{
			At: clock.now, Target: "debian-12@azure", Kind: kind, Text: "Provisioning",
			Elapsed: time.Second,
		})
		if got := state(); got != want+"running " {
			t.Errorf("after %s: %s", kind, got)
		}
	}
	if got := len(s.Calls()) - writes; got != 1 {
		t.Errorf("%d requests for a start and steps, want one: a status cannot show a step", got)
	}
	p.Report(r)
	if left := p.Close(t.Context(), 2*time.Minute); len(left) > 0 {
		t.Errorf("%q", left)
	}
	for _, o := range s.Statuses() {
		if o["status"] != "failed" {
			t.Errorf("the end is %v", o)
		}
	}
	if body := noteBodies(s)[0]; len(s.Statuses()) != 4 || len(s.Notes()) != 1 ||
		!strings.Contains(body, "more findings do not fit here") {
		t.Errorf("%d statuses, %d notes, the first of %d bytes", len(s.Statuses()), len(s.Notes()), len(body))
	}
}

// Long names and titles fit GitLab's limits, in its characters.
func TestLongStatuses(t *testing.T) {
	t.Parallel()
	s := serveGitLab(t, nil, "")
	at := jobAddress(labPipeline, 11)
	at.URL += "/" + strings.Repeat("x", 250)
	p, _ := quietGitLab(t, t.TempDir(), s, at)
	c := check("x", report.CheckCompleted, 0)
	c.Name, c.Title = strings.Repeat("ß", 300), strings.Repeat("😀", 300)
	p.Check(c)
	if left := p.Close(t.Context(), time.Minute); len(left) > 0 || len(s.Statuses()) != 1 {
		t.Errorf("%q, statuses %v", left, s.Statuses())
	}
}

func TestGitLabAddresses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*post.Address){
		"one part":  func(a *post.Address) { a.Repository = "images" },
		"dots":      func(a *post.Address) { a.Repository = "a/../b" },
		"empty":     func(a *post.Address) { a.Repository = "a//b" },
		"query":     func(a *post.Address) { a.Repository = "a/b?x" },
		"pipelined": func(a *post.Address) { a.Pipelined = "main" },
	} {
		bad := jobAddress(1, 1)
		change(&bad)
		if p, err := post.New(t.TempDir(), bad, post.Access{System: of("gitlab"), Token: token}); err == nil {
			p.Close(t.Context(), 0)
			t.Errorf("%s was taken", name)
		}
	}
	// A file that names another system than its place is not sent with this one's token.
	dir := t.TempDir()
	text := `{"kind":"open","address":{"system":"gitlab","repository":"o/r","commit":"` + commit + `","change":7,"run":"x","slot":"report"}}` + "\n" +
		`{"kind":"want","key":"comment","body":"x"}` + "\n"
	file := filepath.Join(dir, mkdir(t, dir, runID), "github"+post.FileName)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, nil, "")
	if out, err := post.Flush(t.Context(), dir, hubAccess(s), time.Minute); err != nil || len(out) > 0 ||
		len(s.Calls()) > 0 {
		t.Errorf("%v %q, %d requests", err, out, len(s.Calls()))
	}
}
