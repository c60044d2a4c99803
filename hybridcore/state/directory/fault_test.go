// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:25:47Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#put-in-a-directory

package directory

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// traced are the system calls that touch files: the classes of strace.
const traced = "%file,%desc"

// Calls that change what is on disk: these fail with a full disk too.
var writing = []string{
	"write", "pwrite64", "fsync", "ftruncate", "mkdirat", "linkat", "renameat", "renameat2",
	"unlinkat",
}

// fault is one injection into the operation.
type fault struct {
	call string // the system call's name
	at   int    // which of the process's calls of that name
	what string // strace's word: signal=KILL, error=EIO, ...
}

func (f fault) String() string { return fmt.Sprintf("%s #%d %s", f.call, f.at, f.what) }

// A process is killed at every system call of an operation after which the files
// are others than before, and every call fails with every error that it may give:
// the state is as before or as after.
func TestFaults(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatalf("strace is missing; install it with: apt-get install strace (%v)", err)
	}
	for _, op := range operations() {
		t.Run(op.mode, func(t *testing.T) {
			t.Parallel()
			base := fastDir(t)
			faults := op.faults(t, filepath.Join(base, "count"))
			t.Run("points", func(t *testing.T) {
				for i, f := range faults {
					t.Run(f.String(), func(t *testing.T) {
						t.Parallel()
						op.try(t, f, filepath.Join(base, fmt.Sprintf("try-%d", i)))
					})
				}
			})
			kills := slices.IndexFunc(faults, func(f fault) bool { return f.what != kill })
			if !t.Failed() {
				t.Logf("%s: killed at each of %d changes of the files, %d errors injected: 0 corrupt", op.mode, kills,
					len(faults)-kills)
			}
		})
	}
}

const kill = "signal=KILL"

// faults runs the operation once and lists what can happen to its calls: the
// kills first.
func (op operation) faults(t *testing.T, dir string) []fault {
	t.Helper()
	op.prepare(t, open(t, dir))
	calls, _, err := op.strace(t, dir, "")
	if err != nil {
		t.Fatalf("without a fault: %v", err)
	}
	if !op.done(t, open(t, dir)) {
		t.Fatal("without a fault the operation was not done")
	}
	mark := func(path string) int {
		return slices.IndexFunc(calls, func(c string) bool { return strings.Contains(c, path) })
	}
	begin, opened, end := mark(markBegin), mark(markOpened), mark(markEnd)
	if op.mode == "upgrade" { // it is a part of opening
		opened = begin
	}
	if begin < 0 || opened < begin || end < opened+10 {
		t.Fatalf("the trace has no marks (%d, %d, %d):\n%s", begin, opened, end, strings.Join(calls, "\n"))
	}
	if held := mark(markHeld); held >= 0 { // acquiring is an operation of its own
		begin, opened = held, held
	}
	var kills, errs []fault
	number := map[string]int{} // strace counts the calls of each name
	changed, seen := true, map[string]int{}
	for i, call := range calls[:end] {
		name := nameOf(call)
		number[name]++
		if i <= begin || ofRuntime(call) {
			continue
		}
		n := number[name]
		if changed { // between two calls that change nothing, a kill leaves the same files
			kills = append(kills, fault{name, n, kill})
		}
		changed = slices.Contains(writing, name) || strings.Contains(call, "O_CREAT")
		// no kernel refuses to unlock
		if i <= opened || strings.HasPrefix(name, "epoll") || strings.Contains(call, "LOCK_UN") {
			continue
		}
		if seen[shape(call)]++; op.mode == "upgrade" && seen[shape(call)] > 2 {
			continue
		}
		errs = append(errs, fault{name, n, "error=EIO"})
		if slices.Contains(writing, name) || strings.Contains(call, "O_CREAT") {
			errs = append(errs, fault{name, n, "error=ENOSPC"})
		}
		if strings.HasPrefix(name, "rename") {
			errs = append(errs, fault{name, n, "error=EXDEV"}, fault{name, n, "error=EACCES"})
		}
	}
	return append(kills, errs...)
}

// ofRuntime says that the Go runtime makes this call for itself, now and then:
// memory, and waking its poller.
func ofRuntime(call string) bool {
	return nameOf(call) == "mmap" || nameOf(call) == "eventfd2" || strings.Contains(call, `"\1\0\0\0\0\0\0\0", 8)`)
}

var changing = regexp.MustCompile(`\d+<|\.tmp-\w+|0x[0-9a-f]+|\) += .*`)

// shape is a call without what differs each time: an upgrade makes many calls
// about the same files.
func shape(call string) string { return changing.ReplaceAllString(call, "") }

// nameOf is the name in a line of the trace.
func nameOf(call string) string {
	name, _, _ := strings.Cut(call, "(")
	return name
}

// A run is recorded once, also when the files that say so cannot be read.
func TestNoSecondRecordWhenACallFails(t *testing.T) {
	op := operation{mode: "append", prepare: func(t *testing.T, d *opened) {
		t.Helper()
		prepareAppend(t, d)
		rec := statetest.Record("run-new")
		rec.PlanDigest = "first"
		if err := d.Append(t.Context(), rec, nil); err != nil {
			t.Fatal(err)
		}
	}}
	base := fastDir(t)
	first := filepath.Join(base, "count")
	op.prepare(t, open(t, first))
	calls, out, err := op.strace(t, first, "")
	if err == nil || !strings.Contains(out, "already recorded") {
		t.Fatalf("without a fault: %v: %s", err, out)
	}
	opened := slices.IndexFunc(calls, func(c string) bool { return strings.Contains(c, markOpened) })
	number, tried := map[string]int{}, 0
	for i, call := range calls {
		name := nameOf(call)
		number[name]++
		if i <= opened || ofRuntime(call) || strings.HasPrefix(name, "epoll") {
			continue
		}
		tried++
		dir := filepath.Join(base, fmt.Sprintf("try-%d", tried))
		op.prepare(t, open(t, dir))
		_, out, err := op.strace(t, dir, fmt.Sprintf("%s:error=EIO:when=%d", name, number[name]))
		rec, readErr := open(t, dir).Record(t.Context(), "run-new")
		if readErr != nil || rec.PlanDigest != "first" || err == nil {
			t.Errorf("%s #%d: the record is %q, %v, %v: %s", name, number[name], rec.PlanDigest, readErr, err, out)
		}
	}
	t.Logf("%d calls failed: 0 second records", tried)
}

var traceLine = regexp.MustCompile(`(?m)^[a-z_0-9]+\(.*$`)

// strace runs the operation with a fault and returns the traced calls of the
// first thread, on which all of it happens, and what the process said.
func (op operation) strace(t *testing.T, dir, inject string) (calls []string, out string, err error) {
	t.Helper()
	log := dir + ".trace"
	args := []string{"strace", "-y", "-o", log, "-e", "trace=" + traced, "-e", "signal=none"}
	if inject != "" {
		args = append(args, "-e", "inject="+inject)
	}
	cmd := command(t, op.mode, dir, args...)
	cmd.Env = append(cmd.Env, "GOGC=off", "GODEBUG=asyncpreemptoff=1", "GORACE=atexit_sleep_ms=0")
	said, err := cmd.CombinedOutput()
	text, readErr := os.ReadFile(log)
	if readErr != nil {
		t.Error(readErr)
	}
	return traceLine.FindAllString(string(text), -1), string(said), err
}

// try injects one fault and looks at what is left.
func (op operation) try(t *testing.T, f fault, dir string) {
	t.Helper()
	var calls []string
	var out string
	var err error
	for again := 0; !f.hit(calls); again++ {
		if again == 5 {
			t.Fatalf("the fault did not hit:\n%s", strings.Join(calls, "\n"))
		}
		dir = fmt.Sprintf("%s-%d", dir, again) // the runtime made a call of that name in between
		op.prepare(t, open(t, dir))
		calls, out, err = op.strace(t, dir, fmt.Sprintf("%s:%s:when=%d", f.call, f.what, f.at))
	}
	d := &opened{path: dir}
	if op.mode != "upgrade" { // which opening would do again
		d = open(t, dir)
	}
	done := op.done(t, d)
	switch {
	case t.Failed():
		t.Logf("the process said: %s", out)
	case f.what == kill && err == nil:
		t.Errorf("the process was not killed")
	case f.what == kill:
	case op.mode == "upgrade" && err != nil: // it may be done, and the former files not be put away
	case err == nil && !done:
		t.Errorf("success was reported, but nothing is stored")
	case err != nil && done:
		t.Errorf("an error was reported, but it is stored: %s", out)
	case strings.Contains(f.what, "ENOSPC") && err != nil &&
		(!strings.Contains(out, "no space left") || !strings.Contains(out, "state is as before")):
		t.Errorf("the error does not say that the disk is full: %s", out)
	}
	op.after(t, d, done)
}

// hit says whether the fault was injected where it should be.
func (f fault) hit(calls []string) bool {
	n := 0
	for i, c := range calls {
		if nameOf(c) != f.call {
			continue
		}
		if n++; n == f.at {
			return !ofRuntime(c) && (f.what == kill && i == len(calls)-1 || strings.Contains(c, "INJECTED"))
		}
	}
	return false
}

// after checks that the fault is not felt later.
func (op operation) after(t *testing.T, d *opened, done bool) {
	t.Helper()
	if left := temps(t, d.path); len(left) > 0 && op.mode != "upgrade" {
		t.Errorf("left %v", left)
	}
	err := op.again(t, d)
	switch {
	case strings.HasPrefix(op.mode, "append") && done:
		if hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("the run could be recorded twice: %v", err)
		}
	case err != nil:
		t.Errorf("the next one fails: %v", err)
	case !op.lease() && !op.done(t, d):
		t.Errorf("the next one is not stored")
	}
	if left := temps(t, d.path); len(left) > 0 {
		t.Errorf("the next one left %v", left)
	}
}

// lease says that the operation is one of a lease, which the next holder changes
// again.
func (op operation) lease() bool { return op.mode == "acquire" || op.mode == "release" }
