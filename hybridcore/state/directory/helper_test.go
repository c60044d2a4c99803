// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:11:39Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#put-in-a-directory

package directory

import (
	"context"
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
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// The fault tests trace the process's first thread only. The runtime makes the
// variables of packages on it, and runs main there too when that has locked it:
// later it may have moved.
var _ = func() bool {
	if os.Getenv(helperEnv) != "" {
		runtime.LockOSThread()
	}
	return true
}()

// TestMain lets the test binary be the other process: with helperEnv set it
// does one thing to the state directory of its argument and ends.
func TestMain(m *testing.M) {
	mode := os.Getenv(helperEnv)
	if mode == "" {
		os.Exit(statetest.Main(m, reopen))
	}
	if err := helper(mode, os.Getenv(helperDirEnv)); err != nil {
		fmt.Println(err)
		os.Exit(hybridcore.ExitCode(err))
	}
	os.Exit(0)
}

// reopen opens the state of a directory as another process does.
func reopen(dir string) (state.Backend, state.Capabilities, error) {
	d, err := New(dir)
	return d, state.Capabilities{Liveness: d, Guide: d}, err
}

// TestCrowd has processes at once work on one directory.
func TestCrowd(t *testing.T) {
	t.Parallel()
	statetest.Crowd(t, t.TempDir(), reopen)
}

// TestKilledWriters kills writers at any moment.
func TestKilledWriters(t *testing.T) {
	t.Parallel()
	statetest.Killed(t, t.TempDir(), reopen)
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
		return d.Update(ctx, statetest.Put("lab/new@vsphere"))
	case "append":
		return d.Append(ctx, statetest.Record("run-new"), statetest.Attachments())
	case "upgrade":
		return nil // which is done
	case "die":
		_, err := d.Acquire(ctx, statetest.Lease("run-dead"))
		return err
	case "append-bare":
		return d.Append(ctx, statetest.Record("run-new"), nil)
	case "acquire":
		_, err := d.Acquire(ctx, statetest.Lease("run-new"))
		return err
	case "release":
		held, err := d.Acquire(ctx, statetest.Lease("run-new"))
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
		return write(dir)
	default:
		return fmt.Errorf("unknown mode %q", mode)
	}
}

// updates counts in one entry of the snapshot and adds one entry of its own.
func updates(d *state.Store, n int) error {
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
func write(dir string) error {
	d, err := New(dir)
	if err != nil {
		return err
	}
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
func hold(d *state.Store) error {
	held, err := d.Acquire(context.Background(), statetest.Lease("run-"+strconv.Itoa(os.Getpid())))
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

// opened is a state in a directory.
type opened struct {
	*state.Store
	path string
}

func open(t *testing.T, dir string) *opened {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &opened{s, dir}
}

// lock takes the lock of a directory, as a writer does.
func lock(t *testing.T, dir string) (unlock func()) {
	t.Helper()
	d, err := view(dir)
	if err != nil {
		t.Fatal(err)
	}
	unlock, err = d.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return unlock
}

// die lets a process take a lease, as run-dead, and end without a release.
func die(t *testing.T, dir string) {
	t.Helper()
	if out, err := command(t, "die", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// temps lists temporary files anywhere in the directory.
func temps(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasPrefix(filepath.Base(path), safefile.TempPrefix) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
