// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:06:40Z
// Spec: openspec/specs/packer/spec.md#requirement-owned-child-process
// Diagram: openspec/specs/packer/diagram.md#one-job

package packer

import (
	"bytes"
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

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// TestMain turns the test binary into a runner of its own when asked to, so
// that a test can kill it in the middle of a build.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PACKER_TEST_RUNNER"); dir != "" {
		os.Exit(runnerMain(dir))
	}
	os.Exit(m.Run())
}

// runnerMain builds the stage in dir/stage and never gets to its end.
func runnerMain(dir string) int {
	tool := Tool{Path: os.Getenv("PACKER_TEST_BINARY"), Version: "test"}
	out, err := tool.Build(context.Background(), Job{
		Dir: filepath.Join(dir, "stage"), Scratch: filepath.Join(dir, "s"),
		Manifest: filepath.Join(dir, "manifest.json"), Env: os.Environ(),
	})
	fmt.Println(out.Status, err)
	return 1
}

// realPacker is the Packer that `make tools` provides.
func realPacker(t *testing.T) Tool {
	t.Helper()
	cache := os.Getenv("PACKER_HYBRID_CACHE")
	if cache == "" {
		root, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(root, "packer-hybrid")
	}
	tool, err := Find(t.Context(), []string{"packer", filepath.Join(cache, "bin", "packer")}, "1.10.0")
	if err != nil {
		t.Fatalf("no packer to test with: %v\nrun: make tools", err)
	}
	tool.PluginDirs = []string{filepath.Join(cache, "plugins")}
	tool.Grace = 5 * time.Second
	return tool
}

// shortDir is a temporary directory whose path is short enough for sockets.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ph")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// nullBuild is a template that runs shell code on this machine.
func nullBuild(script, more string) string {
	return fmt.Sprintf(`
variable "manifest" { type = string }
variable "password" {
  type      = string
  sensitive = true
  default   = ""
}
source "null" "linux" { communicator = "none" }
build {
  sources = ["source.null.linux"]
  provisioner "shell-local" {
    inline = [<<-EOT
      %s
    EOT
    ]
  }
  post-processor "manifest" { output = var.manifest }
}
%s`, script, more)
}

// stage makes a job from a template.
func stage(t *testing.T, template string) Job {
	t.Helper()
	dir := shortDir(t)
	job := Job{
		Dir: filepath.Join(dir, "stage"), Scratch: filepath.Join(dir, "s"), Source: "null.linux",
		Manifest: filepath.Join(dir, "manifest.json"), Env: os.Environ(),
	}
	job.Secrets = []string{"PKR_VAR_manifest=" + job.Manifest}
	if err := os.MkdirAll(job.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(job.Dir, "build.pkr.hcl"), template)
	return job
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// waitFor polls until the file exists and returns what it holds.
func waitFor(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if data, err := os.ReadFile(path); err == nil && len(data) > 0 {
			return strings.TrimSpace(string(data))
		}
	}
	t.Fatalf("%s did not appear within 10 s", path)
	return ""
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// noneLeft fails when a process of the job lives on.
func noneLeft(t *testing.T, job Job) {
	t.Helper()
	for _, p := range survivors(-1, scratch(job.Scratch).marker()) {
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
		t.Errorf("process %d lives on: %q", p.pid, args)
	}
}

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
	if len(out.Artifacts) == 0 || out.Artifacts[0].ID != "Null" || out.Artifacts[0].Build != "null.linux" || out.Artifacts[0].BuilderID != "fnoeding.null" {
		t.Errorf("artifacts %+v", out.Artifacts)
	}
	if len(out.Steps) != 2 || !strings.HasPrefix(out.Steps[0].Name, "Running local shell script: ") || out.Steps[0].Duration <= 0 {
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
	write(t, filepath.Join(job.Dir, "broken.sh"), "#!/bin/sh\nfor i in $(seq 30); do echo line $i; done\nsleep 0.2\necho disk on fire >&2\nexit 3\n")
	if err := os.Chmod(filepath.Join(job.Dir, "broken.sh"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(job.Dir, "build.pkr.hcl"), strings.ReplaceAll(read(t, filepath.Join(job.Dir, "build.pkr.hcl")), "inline = ", "script = \"broken.sh\"\n  }\n  provisioner \"shell-local\" {\n inline = "))
	out, err := tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != hybridcore.Failed || out.ExitCode != 1 || out.Failure == nil || len(out.Artifacts) != 0 {
		t.Fatalf("outcome %+v", out)
	}
	if f := out.Failure; f.Step != "Running local shell script: broken.sh" || f.File != "broken.sh" || !strings.HasPrefix(f.Message, "Script exited with non-zero exit status: 3") {
		t.Errorf("failure %+v", f)
	}
	if tail := strings.Join(out.Failure.Tail, "\n"); !strings.Contains(tail, "disk on fire") || !strings.Contains(tail, "line 30") || len(out.Failure.Tail) > maxTail {
		t.Errorf("tail:\n%s", tail)
	}
	if len(out.Errors) != 1 || !strings.HasPrefix(out.Errors[0], "null.linux: Script exited") {
		t.Errorf("errors %q", out.Errors)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	job := stage(t, nullBuild(`trap 'date +%s%N > term; exit 9' TERM; (trap "" TERM; echo $$ > stubborn; sleep 60) & echo $$ > begun; for i in $(seq 600); do sleep 0.02; done`, ""))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var noticed time.Time
	job.OnCancel = func() { noticed = time.Now(); time.Sleep(200 * time.Millisecond) }
	var at time.Time
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
	if delay := time.Duration(int64(atoi(t, read(t, filepath.Join(job.Dir, "term")))) - at.UnixNano()); delay > 100*time.Millisecond {
		t.Errorf("the provisioner had its SIGTERM after %s", delay)
	}
	if noticed.IsZero() || noticed.Sub(at) > 100*time.Millisecond {
		t.Errorf("OnCancel was called at %s, cancel was at %s", noticed, at)
	}
	noneLeft(t, job)
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
			tool := Tool{Path: script(t, job, "trap '' TERM\necho $$ > begun\nwhile :; do sleep 0.05; done"), Grace: 300 * time.Millisecond}
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
			if out.Status != hybridcore.Cancelled || out.Signal != "killed" || !strings.Contains(out.Failure.Message, "left things behind") {
				t.Errorf("outcome %+v, failure %+v", out, out.Failure)
			}
			noneLeft(t, job)
		})
	}
}

// script writes a stand-in for packer that shows one behaviour of a process.
func script(t *testing.T, job Job, body string) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(job.Dir), "packer")
	// Written by another process: a descriptor for writing that a fork of a
	// parallel test inherits would make the script "text file busy".
	cmd := exec.CommandContext(t.Context(), "install", "-m", "755", "/dev/stdin", path)
	cmd.Stdin = strings.NewReader("#!/bin/sh\n" + body + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

// innerPacker is the process that Packer's panic wrapper started.
func innerPacker(t *testing.T, outer int) int {
	t.Helper()
	out, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", outer, outer))
	if err != nil || len(strings.Fields(string(out))) == 0 {
		// children of other threads are listed there
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", outer))
		for _, task := range tasks {
			more, _ := os.ReadFile(task)
			out = append(out, more...)
		}
	}
	fields := strings.Fields(string(out))
	if len(fields) != 1 {
		t.Fatalf("packer %d has the children %q", outer, fields)
	}
	return atoi(t, fields[0])
}

func TestInnerProcessKilled(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	for _, verb := range []string{"build", "validate"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			job := stage(t, nullBuild("sed -n 's/^.* \\([0-9]*\\) [0-9-]* [0-9]* [0-9]*$/\\1/p' /dev/null; cut -d' ' -f5 /proc/$$/stat > group; sleep 20", ""))
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

// outerOf finds the first process of a job once it has a child.
func outerOf(t *testing.T, job Job) int {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		found := survivors(-1, scratch(job.Scratch).marker())
		for _, p := range found {
			if p.pid == p.group && len(found) > 1 {
				time.Sleep(300 * time.Millisecond) // let the inner one reach the pipe
				return p.pid
			}
		}
	}
	t.Fatal("packer did not start its inner process")
	return 0
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
	if out.Status != hybridcore.Failed || out.Signal != "killed" || !strings.Contains(strings.Join(out.Notes, " "), "outlived packer") {
		t.Errorf("outcome %+v", out)
	}
	noneLeft(t, job)
}

func TestParentKilled(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	job := stage(t, nullBuild(`trap 'echo yes > term; exit 9' TERM; echo $$ > begun; for i in $(seq 1000); do sleep 0.02; done`, ""))
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
	for _, p := range survivors(-1, scratch(job.Scratch).marker()) {
		p.signal(syscall.SIGKILL) // a provisioner that Packer does not end
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

// killRunner starts a build in another process of ours and kills that process
// once the build has begun.
func killRunner(t *testing.T, job Job, packer string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "PACKER_TEST_RUNNER="+filepath.Dir(job.Dir), "PACKER_TEST_BINARY="+packer)
	// The runner's job has no variables: this one comes with a file that Packer loads by itself.
	write(t, filepath.Join(job.Dir, "a.auto.pkrvars.hcl"), fmt.Sprintf("manifest = %q\n", job.Manifest))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, filepath.Join(job.Dir, "begun"))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
}

func packersLeft(job Job) int {
	n := 0
	for _, p := range survivors(-1, scratch(job.Scratch).marker()) {
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.pid)); err == nil && string(name) == "packer\n" {
			n++
		}
	}
	return n
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
	tool := Tool{Path: script(t, job, `env -i setsid sh -c 'echo $$ > pid; exec sleep 60' & while ! [ -s pid ]; do sleep 0.01; done; echo 1,,ui,error,last words; exit 1`)}
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
