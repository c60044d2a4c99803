// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:01:00Z
// Spec: openspec/specs/posting/spec.md#requirement-outbox
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
)

// The environment of a child that reports a run and kills itself.
const (
	childDir  = "POST_TEST_DIR"
	childURL  = "POST_TEST_URL"
	childKill = "POST_TEST_KILL" // number of the write, see killer
	childTo   = "POST_TEST_SYSTEM"
)

func TestMain(m *testing.M) {
	if os.Getenv(childDir) != "" {
		child()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killer is a file that ends the process at one write: in the middle of it
// for a number, and after it for a negative one.
type killer struct {
	post.Disk

	at, writes int
}

func (k *killer) Write(text []byte) (int, error) {
	k.writes++
	switch k.writes {
	case k.at:
		_, _ = k.Disk.Write(text[:len(text)/2])
	case -k.at:
		_, _ = k.Disk.Write(text)
	default:
		return k.Disk.Write(text)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// child reports a whole run and is killed at one write of the outbox.
func child() {
	at, err := strconv.Atoi(os.Getenv(childKill))
	if err != nil {
		panic(err)
	}
	clock, to := (&fakeClock{now: begin}).clock(), address(1)
	access := post.Access{System: of(os.Getenv(childTo)), API: os.Getenv(childURL), Token: token}
	if access.System.Name == "gitlab" {
		to = jobAddress(labPipeline, 11)
	}
	p, err := post.New(os.Getenv(childDir), to, access, post.WithClock(clock, 5*time.Second))
	if err != nil {
		panic(err)
	}
	p.Quiet()
	p.Through(func(d post.Disk) post.Disk { return &killer{Disk: d, at: at} })
	reportAll(p)
	if left := p.Close(context.Background(), time.Minute); len(left) > 0 {
		panic(fmt.Sprint(left))
	}
}

// TestKilledAtEveryWrite kills the process in and after each write of its
// outbox, sends the rest, and looks for what is missing or there twice.
func TestKilledAtEveryWrite(t *testing.T) {
	t.Parallel()
	for system, once := range map[string]func(*testing.T, int) bool{"github": killOnce, "gitlab": killOnceGitLab} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			kills := 0
			for _, sign := range []int{1, -1} {
				for at := 1; ; at++ {
					if at > 100 {
						t.Fatal("there is no end of writes")
					}
					if !once(t, sign*at) {
						break
					}
					kills++
				}
			}
			if kills < 40 {
				t.Errorf("only %d kills: the writes of the outbox are not all covered", kills)
			}
			t.Logf("%d kills", kills)
		})
	}
}

// killed runs a child that is to die at one write, sends the rest, and returns
// the run's directory; none when the child lived.
func killed(t *testing.T, at int, access post.Access) (string, bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := filepath.Join(dir, mkdir(t, dir, runID))
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childDir+"="+run, childURL+"="+access.API, childKill+"="+strconv.Itoa(at),
		childTo+"="+access.System.Name)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err == nil {
		return "", false
	}
	if ended, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || ended.Signal() != syscall.SIGKILL {
		t.Fatalf("kill %d: %v\n%s", at, cmd.ProcessState, stderr.String())
	}
	return dir, true
}

// send flushes what a killed run left.
func send(t *testing.T, at int, dir string, access post.Access) {
	t.Helper()
	patient := post.WithClock((&fakeClock{now: begin}).clock(), 5*time.Second)
	out, err := post.Flush(t.Context(), dir, access, time.Minute, patient)
	if err != nil || len(out) > 0 {
		t.Fatalf("kill %d: flushing: %v %q", at, err, out)
	}
}

// killOnce runs one child and says whether it was killed.
func killOnce(t *testing.T, at int) bool {
	t.Helper()
	s := serve(t, nil, "")
	access := hubAccess(s)
	dir, dead := killed(t, at, access)
	if !dead {
		return false
	}
	wanted := lines(t, filepath.Join(dir, runID, "github"+post.FileName))
	send(t, at, dir, access)
	buried(t, s, at, wanted)
	return true
}

// killOnceGitLab is killOnce for GitLab: everything wanted is there once, and over.
func killOnceGitLab(t *testing.T, at int) bool {
	t.Helper()
	s := serveGitLab(t, nil, "")
	dir, dead := killed(t, at, labAccess(s))
	if !dead {
		return false
	}
	wanted, names := lines(t, filepath.Join(dir, runID, "gitlab"+post.FileName)), map[string]bool{}
	send(t, at, dir, labAccess(s))
	for _, o := range s.Statuses() {
		names[fmt.Sprint(o["name"])] = true
		if o["status"] != "failed" && o["status"] != "canceled" {
			t.Errorf("kill %d: %v is %v", at, o["name"], o["status"])
		}
	}
	statuses, notes := len(wanted), noteBodies(s)
	if wanted[post.CommentKey] {
		statuses--
	}
	if len(s.Statuses()) != statuses || len(names) != statuses || wanted[post.CommentKey] != (len(notes) == 1) ||
		len(notes) > 1 {
		t.Errorf("kill %d: %d statuses with %d names, want %d; %d notes", at, len(s.Statuses()), len(names), statuses,
			len(notes))
	}
	if len(notes) == 1 && !strings.Contains(notes[0], "it is over") &&
		!strings.Contains(notes[0], "ended without its report") {
		t.Errorf("kill %d: the note says %q", at, notes[0])
	}
	return true
}

// lines counts what was wanted before the kill, by key, as far as it was on disk.
func lines(t *testing.T, file string) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	for text := range bytes.Lines(data) {
		if key, ok := bytes.CutPrefix(text, []byte(`{"kind":"want","key":"`)); ok && bytes.HasSuffix(text, []byte("\n")) {
			name, _, _ := strings.Cut(string(key), `"`)
			keys[name] = true
		}
	}
	return keys
}

// buried checks that everything wanted is there once, and that nothing is in progress.
func buried(t *testing.T, s *github.Server, at int, wanted map[string]bool) {
	t.Helper()
	checkRuns := 0
	for key := range wanted {
		if key != post.CommentKey {
			checkRuns++
		}
	}
	names := map[string]bool{}
	for _, c := range s.Checks() {
		names[fmt.Sprint(c["name"])] = true
		if c["status"] != "completed" {
			t.Errorf("kill %d: %v is %v", at, c["name"], c["status"])
		}
		all, _ := c["annotations"].([]any)
		if n := len(all); n != 0 && n != 120 || n == 0 && c["conclusion"] == "failure" &&
			strings.HasSuffix(fmt.Sprint(c["name"]), "@vsphere") {
			t.Errorf("kill %d: %v has %d annotations", at, c["name"], n)
		}
	}
	if len(s.Checks()) != checkRuns || len(names) != checkRuns {
		t.Errorf("kill %d: %d check-runs with %d names, want %d", at, len(s.Checks()), len(names), checkRuns)
	}
	comments := s.Comments()
	switch {
	case wanted[post.CommentKey] != (len(comments) == 1) || len(comments) > 1:
		t.Errorf("kill %d: %d comments", at, len(comments))
	case len(comments) == 1:
		body := fmt.Sprint(comments[0]["body"])
		if !strings.Contains(body, "it is over") && !strings.Contains(body, "ended without its report") {
			t.Errorf("kill %d: the comment says %q", at, body)
		}
	}
}

func TestOutboxRefuses(t *testing.T) {
	t.Parallel()
	open := `{"kind":"open","address":{"repository":"o/r"}}` + "\n"
	for name, c := range map[string]struct{ text, says string }{
		"a broken line": {open + "{\n" + open, "line 2"},
		"a kind of later": {open + `{"kind":"want","key":"comment","body":"x"}` + "\n" +
			`{"kind":"fly","key":"comment"}` + "\n", "line 3"},
		"what nobody wanted":  {open + `{"kind":"sent","key":"check/x","version":1}` + "\n", "line 2"},
		"another one's check": {open + `{"kind":"want","key":"check/x","check":{"key":"y"}}` + "\n", "line 2"},
		"opens without where": {`{"kind":"open"}` + "\n", "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, mkdir(t, dir, runID), "github"+post.FileName)
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := post.Flush(t.Context(), dir, post.Access{System: of("github"), Token: token}, time.Minute)
			if err != nil || len(out) != 1 || !strings.Contains(out[0], c.says) {
				t.Errorf("%v %q, want %q", err, out, c.says)
			}
		})
	}
}

// A secret reaches neither the disk nor GitHub, wherever it stands.
func TestRedaction(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-hunter2"
	s, dir := serve(t, nil, ""), t.TempDir()
	p, err := post.New(dir, address(1), hubAccess(s),
		post.WithClock((&fakeClock{now: begin}).clock(), time.Second),
		post.WithRedaction(func(text string) string { return strings.ReplaceAll(text, secret, "***") }))
	if err != nil {
		t.Fatal(err)
	}
	c := check("x", report.CheckRunning, 0)
	p.Check(c)
	c.Title = "a step with " + secret
	p.Step(c)
	c = check("x", report.CheckCompleted, 1)
	c.Title, c.Summary, c.Text, c.Annotations[0].Message, c.Annotations[0].Title = secret, secret, secret, secret, secret
	p.Check(c)
	p.Comment("it is "+secret, true)
	if left := p.Close(t.Context(), time.Minute); len(left) > 0 {
		t.Error(left)
	}
	data, err := os.ReadFile(filepath.Join(dir, "github"+post.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprint(s.Checks(), s.Comments(), string(data)); strings.Contains(all, secret) ||
		!strings.Contains(all, "it is ***") {
		t.Errorf("the secret is in %s", all)
	}
	if c.Annotations[0].Message != secret {
		t.Error("the caller's annotations were changed")
	}
}

func TestTheSameAgainIsNotSent(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	p, _ := quiet(t, t.TempDir(), s, 1)
	for range 3 {
		p.Check(check("x", report.CheckCompleted, 3))
		p.Comment("it is over", true)
		if err := p.FlushNow(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	p.Close(t.Context(), time.Minute)
	if n := len(s.Calls()); n != 4 { // check-run, and list, comment, list
		t.Errorf("%d requests, want 4: %v", n, s.Calls())
	}
}

func TestTheOutboxHoldsNoToken(t *testing.T) {
	t.Parallel()
	s, dir := serve(t, nil, ""), t.TempDir()
	p, _ := quiet(t, dir, s, 1)
	reportAll(p)
	p.Close(t.Context(), time.Minute)
	data, err := os.ReadFile(filepath.Join(dir, "github"+post.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if len(data) == 0 || bytes.Contains(data, []byte(token)) {
		t.Error("the outbox is empty or holds the token")
	}
}

func TestLiveRunsAreLeftAlone(t *testing.T) {
	t.Parallel()
	s, dir := serve(t, nil, ""), t.TempDir()
	p, _ := quiet(t, filepath.Join(dir, mkdir(t, dir, runID)), s, 1)
	p.Check(check("x", report.CheckRunning, 0))
	out, err := post.Flush(t.Context(), dir, hubAccess(s), time.Minute)
	if err != nil || len(out) > 0 || len(s.Calls()) > 0 {
		t.Errorf("%v %q, %d requests", err, out, len(s.Calls()))
	}
	p.Close(t.Context(), time.Minute)
}

// watched is a file that remembers writes that were not synced, and may be full.
type watched struct {
	post.Disk

	dirty int
	most  int // writes that were there at once without a sync
	full  bool
}

func (w *watched) Write(text []byte) (int, error) {
	if w.full {
		return 0, syscall.ENOSPC
	}
	w.dirty++
	w.most = max(w.most, w.dirty)
	return w.Disk.Write(text)
}

func (w *watched) Sync() error {
	w.dirty = 0
	return w.Disk.Sync()
}

func TestEveryLineIsSynced(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "")
	p, _ := quiet(t, t.TempDir(), s, 1)
	w := &watched{}
	p.Through(func(d post.Disk) post.Disk { w.Disk = d; return w })
	reportAll(p)
	p.Close(t.Context(), time.Minute)
	if w.most != 1 || w.dirty != 0 {
		t.Errorf("%d lines were on their way to the disk at once, %d at the end", w.most, w.dirty)
	}
}

// A full disk costs the memory of what was reported, and not the report.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := serve(t, nil, "POST /** nth=1 status=502 after")
	p, _ := quiet(t, t.TempDir(), s, 1)
	p.Through(func(d post.Disk) post.Disk { return &watched{Disk: d, full: true} })
	reportAll(p)
	left := strings.Join(p.Close(t.Context(), time.Minute), "\n")
	if !strings.Contains(left, "no space left on device: what was reported is not known to a later run") ||
		strings.Contains(left, "not reported") {
		t.Errorf("it says %q", left)
	}
	arrived(t, s)
}
