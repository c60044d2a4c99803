// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:00:00Z
// Spec: openspec/specs/bot/spec.md#requirement-runs-on-this-machine
// Diagram: openspec/specs/bot/diagram.md#a-run-on-this-machine

package dispatch_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

const request = "20261123t050000-1a2b3c4d"

// TestMain lets the test binary be the process of a run.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "job" {
		os.Exit(job(os.Args[2], os.Args[4]))
	}
	os.Exit(m.Run())
}

// job does a run as its order says: end at once, wait for a signal, or go on
// until it is killed.
func job(dir, repository string) int {
	run, err := dispatch.Take(context.Background(), dir, repository)
	if dispatch.Taken(err) {
		return 0
	}
	if err != nil && run == nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	text, _ := os.ReadFile(filepath.Join(run.Tree, "file"))
	run.Event(hybridcore.Event{Target: "debian-12@vsphere", Kind: hybridcore.EventStep, Text: "read " + string(text)})
	if secret := os.Getenv("SLACK_BOT_TOKEN") + os.Getenv("ANVIL_TOKEN"); secret != "" {
		err = fmt.Errorf("a run has the bot's token")
	}
	if strings.Contains(run.Order.Line, "wait") {
		time.Sleep(time.Minute) // until it is killed
	}
	record := &hybridcore.Record{Status: hybridcore.Built, Results: []hybridcore.Result{
		{Target: "debian-12@vsphere", Status: hybridcore.Built, Artifact: &hybridcore.Artifact{ID: "debian-12-1"}},
	}}
	if end := run.End(0, &hybridcore.Answer{Record: record}, err); end != nil {
		fmt.Fprintln(os.Stderr, end)
		return 1
	}
	return 0
}

// here is a Local on a repository with one commit.
func here(t *testing.T) (*dispatch.Local, string, cirun.Order) {
	t.Helper()
	repository, dir := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(repository, "file"), []byte("of the commit"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main", "--template="},
		{"add", "-A"},
		{"commit", "-q", "-m", "one"},
	} {
		cmd := exec.CommandContext(t.Context(), "git",
			append([]string{"-C", repository, "-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	l, err := dispatch.NewLocal(dispatch.LocalConfig{
		Dir: dir, Repository: repository, Program: []string{self},
		Environ: append(os.Environ(), "SLACK_BOT_TOKEN=xoxb-1", "ANVIL_TOKEN=x"), Forges: []string{"ANVIL_"},
	})
	if err != nil {
		t.Fatal(err)
	}
	head, err := l.Head(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	return l, dir, cirun.Order{Request: request, Line: "build debian-12", Ref: "main", Commit: head}
}

// until asks for the status until it is so.
func until(t *testing.T, l *dispatch.Local, o cirun.Order, so func(cirun.Progress) bool) cirun.Progress {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); ; {
		p, err := l.Status(t.Context(), o, cirun.Run{ID: o.Request})
		if err != nil {
			t.Fatal(err)
		}
		if so(p) {
			return p
		}
		if time.Now().After(end) {
			t.Fatalf("the last status is %+v", p)
		}
		<-tick.C
	}
}

func TestLocalRun(t *testing.T) {
	t.Parallel()
	l, dir, o := here(t)
	if _, found, err := l.Find(t.Context(), o); found || err != nil {
		t.Fatal(found, err)
	}
	var all sync.WaitGroup
	for range 4 { // one of them does it
		all.Go(func() {
			if run, err := l.Dispatch(t.Context(), o); err != nil || run.ID != o.Request {
				t.Error(run, err)
			}
		})
	}
	all.Wait()
	p := until(t, l, o, func(p cirun.Progress) bool { return p.Done })
	if p.Outcome.Status != hybridcore.Built || p.Outcome.Why != "" || p.Targets[0].Artifact != "debian-12-1" {
		log, _ := os.ReadFile(filepath.Join(dir, request, "log"))
		t.Errorf("%+v\n%s", p, log)
	}
	if run, found, err := l.Find(t.Context(), o); !found || run.ID != o.Request || err != nil {
		t.Error(run, found, err)
	}
	until(t, l, o, func(cirun.Progress) bool { // the checkout is removed after the end is written
		_, err := os.Stat(filepath.Join(dir, request, "tree"))
		return err != nil
	})
	if err := l.Cancel(t.Context(), cirun.Run{ID: o.Request}); err != nil {
		t.Errorf("cancelling what has ended: %v", err)
	}
	for _, bad := range []string{"../x", "", "a b"} {
		if _, err := l.Dispatch(t.Context(), cirun.Order{Request: bad}); err == nil {
			t.Errorf("the request %q is taken", bad)
		}
	}
}

// A run that is killed is seen to be dead.
func TestLocalDies(t *testing.T) {
	t.Parallel()
	l, dir, o := here(t)
	o.Line = "wait"
	if _, err := l.Dispatch(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	p := until(t, l, o, func(p cirun.Progress) bool { return len(p.Targets) > 0 })
	if p.Done || p.Targets[0].Step != "read of the commit" {
		t.Errorf("%+v", p)
	}
	started := filepath.Join(dir, request, "started")
	text, err := os.ReadFile(started)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if session, err := syscall.Getpgid(pid); err != nil || session != pid {
		t.Errorf("its process group is %d, %v; want its own", session, err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(started, old, old); err != nil {
		t.Fatal(err)
	}
	if p, err := l.Status(t.Context(), o, cirun.Run{ID: request}); err != nil || p.Done {
		t.Errorf("while it lives: %+v %v", p, err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p = until(t, l, o, func(p cirun.Progress) bool { return p.Done })
	if p.Outcome.Status != hybridcore.Failed || !strings.Contains(p.Outcome.Why, "ended without saying so") {
		t.Errorf("%+v", p)
	}
}

func TestLocalCancel(t *testing.T) {
	t.Parallel()
	l, _, o := here(t)
	o.Line = "wait"
	if _, err := l.Dispatch(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	until(t, l, o, func(p cirun.Progress) bool { return len(p.Targets) > 0 })
	if err := l.Cancel(t.Context(), cirun.Run{ID: request}); err != nil {
		t.Fatal(err)
	}
	p := until(t, l, o, func(p cirun.Progress) bool { return p.Done })
	if p.Outcome.Status != hybridcore.Failed { // the test's process has no handler: it dies of the signal
		t.Errorf("%+v", p)
	}
}

// TestLocalAudience says whom tickets for runs of this machine are for.
func TestLocalAudience(t *testing.T) {
	t.Parallel()
	local, dir, _ := here(t)
	if got := local.Audience(); got.System != "local" || got.Repository == "" || got.Repository == dir {
		t.Errorf("%+v", got)
	}
}
