// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:11:39Z
// Spec: openspec/specs/state/spec.md#requirement-durable-snapshot
// Diagram: openspec/specs/state/diagram.md#update

package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// The fault tests trace the process's first thread only. The runtime initialises
// variables on it, and runs main there too when it is locked by then: later the
// main goroutine may have moved.
var _ = onFirstThread()

func onFirstThread() bool {
	helper := os.Getenv(helperEnv) != ""
	if helper {
		runtime.LockOSThread()
	}
	return helper
}

// TestMain lets the test binary be the other process: with helperEnv set it
// does one thing to the state directory of its argument and ends.
func TestMain(m *testing.M) {
	mode := os.Getenv(helperEnv)
	if mode == "" {
		os.Exit(m.Run())
	}
	if err := helper(mode, os.Getenv(helperDirEnv)); err != nil {
		fmt.Println(err)
		os.Exit(hybridcore.ExitCode(err))
	}
	os.Exit(0)
}

const (
	helperEnv    = "STATE_TEST_HELPER"
	helperDirEnv = "STATE_TEST_DIR"
)

// Marks delimit what the fault tests look at. They are paths that do not exist.
const (
	markBegin  = "/mark-of-the-beginning"
	markOpened = "/mark-of-the-open-state"
	markHeld   = "/mark-of-the-held-lease"
	markEnd    = "/mark-of-the-end"
)

func helper(mode, dir string) error {
	_, _ = os.Stat(markBegin)
	defer func() { _, _ = os.Stat(markEnd) }()
	d, err := Open(dir)
	if err != nil {
		return err
	}
	_, _ = os.Stat(markOpened)
	ctx := context.Background()
	switch mode {
	case "update":
		return d.Update(ctx, put("lab/new@vsphere"))
	case "append":
		return d.Append(ctx, record("run-new"), attachments())
	case "append-bare":
		return d.Append(ctx, record("run-new"), nil)
	case "acquire":
		_, err := d.Acquire(ctx, lease("run-new"))
		return err
	case "release":
		held, err := d.Acquire(ctx, lease("run-new"))
		if err != nil {
			return err
		}
		_, _ = os.Stat(markHeld)
		return held.Release(ctx)
	case "loop":
		return updates(d, 250)
	case "hold":
		return hold(d)
	case "write":
		return write(d)
	default:
		return fmt.Errorf("unknown mode %q", mode)
	}
}

// updates counts in one entry of the snapshot and adds one entry of its own.
func updates(d *Dir, n int) error {
	for i := range n {
		err := d.Update(context.Background(), func(s *hybridcore.Snapshot) error {
			c := s.Targets["lab/counter@vsphere"]
			was, _ := strconv.Atoi(c.Digest)
			c.Digest = strconv.Itoa(was + 1)
			s.Targets["lab/counter@vsphere"] = c
			s.Targets[fmt.Sprintf("lab/p%d@vsphere", os.Getpid())] = hybridcore.Current{Digest: strconv.Itoa(i + 1)}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// write takes the writer's lock, says so, and waits to be killed.
func write(d *Dir) error {
	unlock, err := d.lock(context.Background())
	if err != nil {
		return err
	}
	defer unlock()
	fmt.Println("locked")
	time.Sleep(time.Hour)
	return nil
}

// hold takes a lease, starts a child that outlives it, and waits to be killed.
func hold(d *Dir) error {
	held, err := d.Acquire(context.Background(), lease("run-"+strconv.Itoa(os.Getpid())))
	if err != nil {
		return err
	}
	if err := held.Update(context.Background(), "running"); err != nil {
		return err
	}
	renew := make(chan os.Signal, 1)
	signal.Notify(renew, syscall.SIGUSR1)
	go func() {
		for range renew {
			fmt.Println("renewed", held.Renew(context.Background()))
		}
	}()
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		return err
	}
	fmt.Printf("held %d %v\n", child.Process.Pid, len(held.Past()) > 0)
	time.Sleep(time.Minute)
	return nil
}

// command runs the test binary as helper.
func command(t *testing.T, mode, dir string, prefix ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(prefix, self)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), helperEnv+"="+mode, helperDirEnv+"="+dir)
	return cmd
}

// fastDir is a directory in memory where there is one: for tests of order and
// atomicity as the kernel shows them, which the disk does not change.
func fastDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "state-test-") //nolint:usetesting // in memory
	if err != nil {
		return tb.TempDir()
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	return dir
}

func open(t *testing.T, dir string) *Dir {
	t.Helper()
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// put is a change that adds an entry.
func put(key string) func(*hybridcore.Snapshot) error {
	return func(s *hybridcore.Snapshot) error {
		s.Targets[key] = hybridcore.Current{
			RunID: "run-of-" + strings.NewReplacer("/", "-", "@", "-").Replace(key), At: at(), Digest: "d1", Recipe: "r1",
			Inputs:   map[string]string{"file:linux.pkr.hcl": "00ff", "var:vm_cpu_count": "2"},
			Artifact: &hybridcore.Artifact{ID: "debian <12>", Builder: "jetbrains.vsphere", URIs: []hybridcore.URI{{Kind: "vm-template", Name: "x", ID: "vm-1"}}},
		}
		return nil
	}
}

func at() time.Time { return time.Date(2026, 11, 22, 22, 45, 1, 250_000_000, time.FixedZone("", 3600)) }

// record is a record with something in every kind of field.
func record(runID string) hybridcore.Record {
	return hybridcore.Record{
		RunID: runID, At: at(), Duration: 95 * time.Second, Status: hybridcore.Failed, PlanDigest: "p1",
		Request:  hybridcore.Request{ID: runID, Action: hybridcore.ActionBuild, Env: "lab", Platforms: []hybridcore.Platform{hybridcore.VSphere}},
		Versions: map[string]string{"packer": "1.15.0"},
		Results: []hybridcore.Result{{
			Target: "debian-12@vsphere", Image: "debian-12", Platform: hybridcore.VSphere, Status: hybridcore.Failed, Digest: "d1",
			Started: at(), Duration: 90 * time.Second,
			Steps:     []hybridcore.Step{{Name: "Creating virtual machine...", At: at(), Duration: time.Second}},
			Inventory: &hybridcore.Inventory{File: "records/" + runID + "/debian-12@vsphere.inventory.json", SHA256: "00", Packages: 312},
			Failure:   &hybridcore.Failure{Message: "exit status 2", Tail: []string{"fatal: [default]: FAILED! => {\"msg\": \"no <such> package\"}", "bad \xff byte"}},
		}},
	}
}

func attachments() map[string][]byte {
	return map[string][]byte{"debian-12@vsphere.inventory.json": []byte(`{"packages":312}`), "steps.txt": []byte("one\ntwo\n")}
}

func lease(runID string) hybridcore.Lease {
	return hybridcore.Lease{Key: "lab/debian-12@vsphere", RunID: runID, Artifact: "ph-" + runID + "-debian-12"}
}

// temps lists temporary files anywhere in the directory.
func temps(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasPrefix(filepath.Base(path), tempPrefix) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// wantBlocked checks that the error blocks (exit code 3) and says all of that.
func wantBlocked(t *testing.T, err error, says ...string) {
	t.Helper()
	if _, ok := errors.AsType[*hybridcore.BlockedError](err); !ok {
		t.Fatalf("error %v: want a BlockedError", err)
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}
