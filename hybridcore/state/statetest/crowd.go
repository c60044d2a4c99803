// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:00:00Z
// Spec: openspec/specs/state/spec.md#requirement-many-processes-at-once
// Diagram: openspec/specs/state/diagram.md#objects

package statetest

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/checkup"
)

// Slow is how long a slow server waits before each answer.
var Slow = flag.Duration("slow", 2*time.Second, "how long a slow server waits before each answer")

var (
	processes = flag.Int("processes", 4, "processes of a crowd at once")
	changes   = flag.Int("changes", 200, "leases and records of a crowd, in total")
	kills     = flag.Int("kills", 6, "writers that are killed")
)

// workerEnv makes a test's own program one of many: KIND NUMBER ROUNDS ADDRESS.
const workerEnv = "STATETEST_WORKER"

// crowdKeys are how many targets a crowd works on.
const crowdKeys = 4

// Reopen opens what is at an address, as each process of its own does.
type Reopen func(address string) (state.Backend, state.Capabilities, error)

// Main runs the tests, or what Crowd and Killed have started this process for, and returns the exit code.
func Main(m *testing.M, open Reopen) int {
	order := os.Getenv(workerEnv)
	if order == "" {
		return m.Run()
	}
	if err := work(order, open); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// worker is one process of many.
type worker struct {
	ctx            context.Context //nolint:containedctx // of the whole process: it ends with who has started it
	s              *state.Store
	number, rounds int
}

func work(order string, open Reopen) error {
	var kind, address string
	var w worker
	if _, err := fmt.Sscanf(order, "%s %d %d %s", &kind, &w.number, &w.rounds, &address); err != nil {
		return fmt.Errorf("the order %q: %w", order, err)
	}
	b, can, err := open(address)
	if err != nil {
		return err
	}
	w.s = state.New(b, can)
	var end context.CancelFunc
	w.ctx, end = context.WithCancel(context.Background())
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1)) // until who has started this process ends
		end()
	}()
	for n := range w.rounds {
		id := fmt.Sprintf("run-%d-%d", w.number, n)
		if kind == "take" {
			err = w.take(fmt.Sprintf("lab/i%d@vsphere", (w.number+n)%crowdKeys), id)
		} else if err = w.write(func() error { return nil }, id); err == nil {
			fmt.Println(id)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return nil
}

// take takes the lease of a target, records a run and releases the lease. It says when it had it.
func (w worker) take(key, id string) error {
	lease := Lease(id)
	lease.Key = key
	for {
		held, err := w.s.Acquire(w.ctx, lease)
		if _, other := errors.AsType[*state.HeldError](err); other {
			time.Sleep(time.Duration(50+rand.IntN(300)) * time.Millisecond)
			continue
		}
		if err != nil {
			return err
		}
		begin := time.Now()
		if err := w.write(func() error { return held.Check(w.ctx) }, id); err != nil {
			return err
		}
		fmt.Println(key, id, begin.UnixNano(), time.Now().UnixNano())
		if err := held.Release(w.ctx); err != nil {
			return err
		}
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		return nil
	}
}

// write records a run and makes what it built current, as a build does.
func (w worker) write(check func() error, id string) error {
	rec, files := built(id)
	if err := w.s.Append(w.ctx, rec, files); err != nil {
		return err
	}
	return w.s.Update(w.ctx, func(s *hybridcore.Snapshot) error {
		s.Targets["lab/"+id+"@vsphere"] = hybridcore.Current{
			RunID: id, At: At(), Digest: "d1", Recipe: "r1", Inventory: rec.Results[0].Inventory,
		}
		return check()
	})
}

// turn is how long a process had a lease.
type turn struct {
	key, id    string
	begin, end int64
}

// Crowd has processes at once take leases in turn, record runs and change the snapshot: nothing is lost, and no two
// have a lease. It knows when each had it, and compares that with what is in the state.
func Crowd(t *testing.T, address string, open Reopen) {
	t.Helper()
	rounds := max(1, *changes/2 / *processes) // each is a lease and a record
	var mu sync.Mutex
	var turns []turn
	var all sync.WaitGroup
	begin := time.Now()
	for n := range *processes {
		cmd := command(t, fmt.Sprintf("take %d %d %s", n, rounds, address))
		said, errs := pipe(t, cmd)
		all.Go(func() {
			for lines := bufio.NewScanner(said); lines.Scan(); {
				var one turn
				if _, err := fmt.Sscan(lines.Text(), &one.key, &one.id, &one.begin, &one.end); err != nil {
					t.Errorf("process %d says %q", n, lines.Text())
					continue
				}
				mu.Lock()
				turns = append(turns, one)
				mu.Unlock()
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("process %d: %v: %s", n, err, errs)
			}
		})
	}
	all.Wait()
	t.Logf("%d leases and %d records of %d processes took %s", len(turns), len(turns), *processes, time.Since(begin))
	if want := rounds * *processes; len(turns) != want {
		t.Errorf("%d turns, want %d", len(turns), want)
	}
	apart(t, turns)
	s := reopened(t, address, open)
	serials(t, s, turns)
	complete(t, s, func(yield func(string) bool) {
		for _, one := range turns {
			if !yield(one.id) {
				return
			}
		}
	})
	if snapshot, err := s.Read(t.Context()); err != nil || snapshot.Serial != uint64(len(turns)) {
		t.Errorf("the serial is %d after %d changes, %v", snapshot.Serial, len(turns), err)
	}
}

// apart checks that no two had a lease at once.
func apart(t *testing.T, turns []turn) {
	t.Helper()
	slices.SortFunc(turns, func(a, b turn) int { return cmp.Compare(a.begin, b.begin) })
	last := map[string]turn{}
	for _, one := range turns {
		if before := last[one.key]; before.end > one.begin {
			t.Errorf("%s took %s %s before %s gave it back", one.id, one.key, time.Duration(before.end-one.begin), before.id)
		}
		last[one.key] = one
	}
}

// serials checks that each lease was taken as often as somebody says that they had it.
func serials(t *testing.T, s *state.Store, turns []turn) {
	t.Helper()
	for k := range crowdKeys {
		key, times := fmt.Sprintf("lab/i%d@vsphere", k), uint64(0)
		for _, one := range turns {
			if one.key == key {
				times++
			}
		}
		lease := Lease("run-after")
		lease.Key = key
		held, err := s.Acquire(t.Context(), lease)
		if err != nil {
			t.Errorf("%s after all: %v", key, err)
			continue
		}
		shown, err := s.Leases(t.Context())
		at := slices.IndexFunc(shown, func(l state.LeaseStatus) bool { return l.Key == key })
		if err != nil || at < 0 || shown[at].Serial != times+1 {
			t.Errorf("%s was taken %d times, and is %+v, %v", key, times, shown, err)
		}
		if err := held.Release(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// complete checks that runs are recorded, each once, that the snapshot has them, and that the state is whole.
func complete(t *testing.T, s *state.Store, ids func(func(string) bool)) {
	t.Helper()
	recorded, err := s.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := s.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, id := range recorded {
		there[id] = true
	}
	for id := range ids {
		if !there[id] || snapshot.Targets["lab/"+id+"@vsphere"].RunID != id {
			t.Errorf("%s was acknowledged: its record is there: %t; in the snapshot is %+v", id, there[id],
				snapshot.Targets["lab/"+id+"@vsphere"])
		}
	}
	found, err := checkup.Check(t.Context(), s, func(int, int) {})
	if err != nil {
		t.Error(err)
	}
	for _, f := range found.Findings {
		if f.Blocking {
			t.Errorf("the state is not whole: %s", f.Message)
		}
	}
}

// Killed kills writers at any moment: the state is whole, and holds all that they had acknowledged.
func Killed(t *testing.T, address string, open Reopen) {
	t.Helper()
	const atOnce = 8
	var mu sync.Mutex
	var stored []string
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for n := range *kills {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			cmd := command(t, fmt.Sprintf("write %d %d %s", n, 1<<30, address))
			said, errs := pipe(t, cmd)
			kill := func() {
				time.AfterFunc(time.Duration(rand.IntN(2000))*time.Millisecond, func() { _ = cmd.Process.Kill() })
			}
			if n%2 == 0 { // the others have a run acknowledged before
				kill()
			}
			for lines := bufio.NewScanner(said); lines.Scan(); {
				kill()
				mu.Lock()
				stored = append(stored, lines.Text())
				mu.Unlock()
			}
			err := cmd.Wait()
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Errorf("writer %d ended by itself: %v: %s", n, err, errs)
			}
		})
	}
	all.Wait()
	if len(stored) == 0 {
		t.Error("no run was acknowledged")
	}
	t.Logf("%d runs were acknowledged by %d writers until they were killed", len(stored), *kills)
	s := reopened(t, address, open)
	complete(t, s, slices.Values(stored))
	if err := s.Update(t.Context(), Put("lab/after@vsphere")); err != nil {
		t.Errorf("after the kills: %v", err)
	}
}

func reopened(t *testing.T, address string, open Reopen) *state.Store {
	t.Helper()
	b, can, err := open(address)
	if err != nil {
		t.Fatal(err)
	}
	return state.New(b, can)
}

// command is this program as one of many.
func command(t *testing.T, order string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.Background(), self)
	cmd.Env = append(os.Environ(), workerEnv+"="+order, "TMPDIR="+t.TempDir())
	return cmd
}

// pipe starts a command, and gives what it says.
func pipe(t *testing.T, cmd *exec.Cmd) (interface{ Read([]byte) (int, error) }, *strings.Builder) {
	t.Helper()
	errs := &strings.Builder{}
	cmd.Stderr = errs
	_, err := cmd.StdinPipe() // which ends with this process
	if err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return said, errs
}
