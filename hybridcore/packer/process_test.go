// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:06:40Z
// Spec: openspec/specs/packer/spec.md#requirement-owned-child-process
// Diagram: openspec/specs/packer/diagram.md#one-job

package packer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/child"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
)

func TestBuild(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	job := stage(t, nullBuild("echo hello, world; echo oops >&2", ""))
	log := &buffer{}
	var events []hybridcore.Event
	job.Log, job.OnEvent = log, func(e hybridcore.Event) { events = append(events, e) }
	out, err := tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != hybridcore.Built || out.ExitCode != 0 || out.Failure != nil {
		t.Fatalf("outcome %+v, log:\n%s", out, log)
	}
	if len(out.Artifacts) == 0 || out.Artifacts[0].ID != "Null" || out.Artifacts[0].Build != "null.linux" ||
		out.Artifacts[0].BuilderID != "fnoeding.null" {
		t.Errorf("artifacts %+v", out.Artifacts)
	}
	if len(out.Steps) != 2 || !strings.HasPrefix(out.Steps[0].Name, "Running local shell script: ") ||
		out.Steps[0].Duration <= 0 {
		t.Errorf("steps %+v: want the script and the post-processor", out.Steps)
	}
	if !strings.Contains(log.String(), "s] ==> null.linux: hello, world\n") {
		t.Errorf("log:\n%s", log)
	}
	kinds := map[string]hybridcore.EventKind{}
	for _, e := range events {
		kinds[e.Text] = e.Kind
	}
	if kinds["hello, world"] != hybridcore.EventOutput || kinds["oops"] != hybridcore.EventError {
		t.Errorf("events %+v", events)
	}
	noneLeft(t, job)
}

func TestBuildFailingProvisioner(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	job := stage(t, nullBuild("true", ""))
	write(t, filepath.Join(job.Dir, "broken.sh"),
		"#!/bin/sh\nfor i in $(seq 30); do echo line $i; done\nsleep 0.2\necho disk on fire >&2\nexit 3\n")
	if err := os.Chmod(filepath.Join(job.Dir, "broken.sh"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(job.Dir, "build.pkr.hcl"),
		strings.ReplaceAll(read(t, filepath.Join(job.Dir, "build.pkr.hcl")), "inline = ",
			"script = \"broken.sh\"\n  }\n  provisioner \"shell-local\" {\n inline = "))
	out, err := tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != hybridcore.Failed || out.ExitCode != 1 || out.Failure == nil || len(out.Artifacts) != 0 {
		t.Fatalf("outcome %+v", out)
	}
	if f := out.Failure; f.Step != "Running local shell script: broken.sh" || f.File != "broken.sh" ||
		!strings.HasPrefix(f.Message, "Script exited with non-zero exit status: 3") {
		t.Errorf("failure %+v", f)
	}
	if tail := strings.Join(out.Failure.Tail, "\n"); !strings.Contains(tail, "disk on fire") ||
		!strings.Contains(tail, "line 30") || len(out.Failure.Tail) > output.MaxTail {
		t.Errorf("tail:\n%s", tail)
	}
	if len(out.Errors) != 1 || !strings.HasPrefix(out.Errors[0], "null.linux: Script exited") {
		t.Errorf("errors %q", out.Errors)
	}
}

// The time includes the shell's: on a busy machine the best of three counts.
func TestCancel(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	var took [3]time.Duration
	for i := range took {
		if took[i] = cancelOnce(t, tool); took[i] <= 100*time.Millisecond {
			return
		}
	}
	t.Errorf("the provisioner had its SIGTERM after %s", took)
}

// cancelOnce cancels a build that sleeps and returns after what time its
// provisioner had SIGTERM; an hour when it was not seen.
func cancelOnce(t *testing.T, tool Tool) time.Duration {
	t.Helper()
	job := stage(t, nullBuild(
		`trap ': > term; exit 9' TERM; (trap "" TERM; echo $$ > stubborn; sleep 60) & echo $$ > begun; for i in $(seq 600); do sleep 0.02; done`, ""))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var noticed, at time.Time
	job.OnCancel = func() { noticed = time.Now(); time.Sleep(200 * time.Millisecond) }
	go func() {
		waitFor(t, filepath.Join(job.Dir, "begun"))
		at = time.Now()
		cancel()
	}()
	out, err := tool.Build(ctx, job)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != hybridcore.Cancelled || out.Failure == nil {
		t.Fatalf("outcome %+v", out)
	}
	if noticed.IsZero() {
		t.Error("OnCancel was not called, or not waited for")
	}
	noneLeft(t, job)
	term, err := os.Stat(filepath.Join(job.Dir, "term"))
	if err != nil {
		return time.Hour // Packer has SIGTERM too, and kills its provisioner: sometimes before that has written
	}
	return term.ModTime().Sub(at)
}

func TestCancelBeforeStart(t *testing.T) {
	t.Parallel()
	job := stage(t, nullBuild("touch started", ""))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out, err := Tool{Path: "/does/not/exist"}.Build(ctx, job)
	if err != nil || out.Status != hybridcore.Cancelled {
		t.Errorf("outcome %+v, error %v: want cancelled", out, err)
	}
}

// A Packer that ignores SIGTERM is killed after the grace, or at once when the caller hurries.
func TestGraceAndHurry(t *testing.T) {
	t.Parallel()
	for _, hurry := range []bool{false, true} {
		t.Run(fmt.Sprint(hurry), func(t *testing.T) {
			t.Parallel()
			job := stage(t, "")
			tool := Tool{
				Path:  script(t, job, "trap '' TERM\necho $$ > begun\nwhile :; do sleep 0.05; done"),
				Grace: 300 * time.Millisecond,
			}
			hurried := make(chan struct{})
			if hurry {
				tool.Grace = time.Hour
				job.OnCancel = func() { close(hurried) }
				job.Hurry = hurried
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() { waitFor(t, filepath.Join(job.Dir, "begun")); cancel() }()
			out, err := tool.Build(ctx, job)
			if err != nil {
				t.Fatal(err)
			}
			if out.Status != hybridcore.Cancelled || out.Signal != "killed" ||
				!strings.Contains(out.Failure.Message, "left things behind") {
				t.Errorf("outcome %+v, failure %+v", out, out.Failure)
			}
			noneLeft(t, job)
		})
	}
}

func TestInnerProcessKilled(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	for _, verb := range []string{"build", "validate"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			job := stage(t, nullBuild(
				"sed -n 's/^.* \\([0-9]*\\) [0-9-]* [0-9]* [0-9]*$/\\1/p' /dev/null; cut -d' ' -f5 /proc/$$/stat > group; sleep 20",
				""))
			job.Secrets = append(job.Secrets, "PKR_VAR_password=x")
			build := tool.Build
			wait := filepath.Join(job.Dir, "group")
			if verb == "validate" {
				build = tool.Validate
				// A pipe that nobody writes to stops the inner process while it reads templates.
				if err := syscall.Mkfifo(filepath.Join(job.Dir, "stop.auto.pkrvars.hcl"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			go func() {
				var outer int
				if verb == "build" {
					outer = atoi(t, waitFor(t, wait))
				} else {
					outer = outerOf(t, job)
				}
				_ = syscall.Kill(innerPacker(t, outer), syscall.SIGKILL)
			}()
			out, err := build(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			if out.ExitCode != 0 {
				t.Logf("this packer exits %d when its inner process is killed", out.ExitCode)
			}
			if out.Status != hybridcore.Failed || !strings.Contains(out.Failure.Message, "inner process was killed") {
				t.Errorf("outcome %+v, failure %+v", out, out.Failure)
			}
			noneLeft(t, job)
		})
	}
}

func TestOuterProcessKilled(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	job := stage(t, nullBuild("cut -d' ' -f5 /proc/$$/stat > group; for i in $(seq 1000); do sleep 0.02; done", ""))
	go func() { _ = syscall.Kill(atoi(t, waitFor(t, filepath.Join(job.Dir, "group"))), syscall.SIGKILL) }()
	out, err := tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != hybridcore.Failed || out.Signal != "killed" ||
		!strings.Contains(strings.Join(out.Notes, " "), "outlived packer") {
		t.Errorf("outcome %+v", out)
	}
	noneLeft(t, job)
}

func TestParentKilled(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	job := stage(t, nullBuild(
		`trap 'echo yes > term; exit 9' TERM; echo $$ > begun; for i in $(seq 1000); do sleep 0.02; done`, ""))
	killRunner(t, job, tool.Path)
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) && packersLeft(job) > 0 {
		time.Sleep(20 * time.Millisecond)
	}
	if n := packersLeft(job); n > 0 {
		t.Errorf("%d packer processes live on 10 s after their parent was killed", n)
	}
	if _, err := os.Stat(job.Manifest); err == nil {
		t.Error("the build ran to its end")
	}
	for _, p := range child.Survivors(-1, scratch(job.Scratch).marker()) {
		p.Signal(syscall.SIGKILL) // a provisioner that Packer does not end
	}
}

// What a process says while it cleans up after our death must not end it.
func TestParentKilledWhileTalking(t *testing.T) {
	t.Parallel()
	job := stage(t, "")
	path := script(t, job, `trap 'for i in $(seq 1000); do echo cleaning up $i; echo still at it >&2; done; echo yes > cleaned; exit 1' TERM; echo $$ > begun; while :; do sleep 0.02; done`)
	killRunner(t, job, path)
	if got := waitFor(t, filepath.Join(job.Dir, "cleaned")); got != "yes" {
		t.Errorf("got %q", got)
	}
	noneLeft(t, job)
}

// A daemon that left the group does not survive.
func TestDaemonIsSwept(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	job := stage(t, nullBuild(`setsid sleep 60 > /dev/null 2>&1 & echo started`, ""))
	out, err := tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != hybridcore.Built || !strings.Contains(strings.Join(out.Notes, " "), "outlived packer") {
		t.Errorf("outcome %+v", out)
	}
	noneLeft(t, job)
}

// A process that nobody can find holds the pipe: the end is delayed, not prevented.
func TestHeldPipe(t *testing.T) {
	t.Parallel()
	job := stage(t, "")
	tool := Tool{Path: script(t, job,
		`env -i setsid sh -c 'echo $$ > pid; exec sleep 60' & while ! [ -s pid ]; do sleep 0.01; done; echo 1,,ui,error,last words; exit 1`)}
	start := time.Now()
	out, err := tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != hybridcore.Failed || out.Failure.Message != "last words" || time.Since(start) > 10*time.Second {
		t.Errorf("after %s: %+v", time.Since(start), out)
	}
	_ = syscall.Kill(atoi(t, read(t, filepath.Join(job.Dir, "pid"))), syscall.SIGKILL)
}
