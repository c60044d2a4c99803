// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:52:00Z
// Spec: openspec/specs/leases/spec.md#requirement-a-lease-ends-on-another-host
// Diagram: openspec/specs/leases/diagram.md#fencing

package state

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// clock is a clock that a test sets: the time of day may jump, up may not.
type clock struct {
	wall time.Time
	up   time.Duration
}

func (c *clock) pass(d time.Duration) { c.wall, c.up = c.wall.Add(d), c.up+d }

func noon() *clock { return &clock{wall: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

// on opens the state as another host does, with its own clock.
func on(m *Memory, name string, c *clock) *Store {
	d := New(m, Capabilities{Liveness: m})
	d.host = host{name: name, boot: "boot-of-" + name, user: "runner"}
	d.clock = func() (time.Time, time.Duration) { return c.wall, c.up }
	return d
}

// away takes a lease whose lock other hosts do not see, as on file systems
// that keep flock to one host.
func away(t *testing.T, d *Store, run, phase string) *Held {
	t.Helper()
	held, err := d.Acquire(t.Context(), lease(run))
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Update(t.Context(), phase); err != nil {
		t.Fatal(err)
	}
	if err := held.hold.Unlock(); err != nil {
		t.Fatal(err)
	}
	return held
}

func runs(leases []hybridcore.Lease) string {
	var ids []string
	for _, l := range leases {
		ids = append(ids, l.RunID)
	}
	return strings.Join(ids, " ")
}

func TestTwoHosts(t *testing.T) {
	m, c := NewMemory(), noon()
	a, b := on(m, "ci-a", c), on(m, "ci-b", c)
	sleeper := away(t, a, "run-a", hybridcore.PhaseRunning)

	c.pass(Renewal)
	if err := sleeper.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.pass(Term + Skew - time.Second) // of sleep
	_, err := b.Acquire(t.Context(), lease("run-b"))
	wantBlocked(t, err, "runner@ci-a", "has renewed it 9m59s ago", "ends at 2026-11-23T12:11:00Z", "takes the target over")
	all, err := b.Leases(t.Context())
	if err != nil || len(all) != 1 || !all[0].Live || len(all[0].Ended()) != 0 {
		t.Errorf("before the expiry: %+v, %v", all, err)
	}

	c.pass(time.Second)
	all, err = b.Leases(t.Context())
	if err != nil || len(all) != 1 || all[0].Live ||
		!strings.Contains(all[0].Why, "host ci-a has not renewed it since 2026-11-23T12:01:00Z") {
		t.Errorf("after the expiry: %+v, %v", all, err)
	}
	taker, err := b.Acquire(t.Context(), lease("run-b"))
	if err != nil {
		t.Fatal(err)
	}
	if got := runs(taker.Past()); got != "run-a" || taker.mine.serial != sleeper.mine.serial+1 {
		t.Errorf("past %q, serials %d and %d", got, sleeper.mine.serial, taker.mine.serial)
	}

	// The sleeper awakes: whatever it tries, it learns who has the target.
	before := maps.Clone(m.objects)
	_, looked := sleeper.Looked(t.Context(), "run-a", false)
	for what, err := range map[string]error{
		"renew": sleeper.Renew(t.Context()), "check": sleeper.Check(t.Context()), "look": looked,
		"update": sleeper.Update(t.Context(), hybridcore.PhaseCancelling),
	} {
		lost, ok := errors.AsType[*LostError](err)
		if !ok || lost.By == nil || lost.By.RunID != "run-b" {
			t.Errorf("%s: %v, want a LostError", what, err)
		}
	}
	if err := sleeper.Check(t.Context()); !strings.Contains(err.Error(),
		"run run-b of runner@ci-b (host ci-b, process ") || !strings.Contains(err.Error(), "not recorded as current") {
		t.Errorf("error %q", err)
	}
	if err := sleeper.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, m.objects); diff != "" {
		t.Errorf("the sleeper changed something:\n%s", diff)
	}
	if err := taker.Renew(t.Context()); err != nil {
		t.Error(err)
	}
	c.pass(time.Hour)
	_, err = a.Acquire(t.Context(), lease("run-c")) // on a file system whose locks reach all hosts
	if held, ok := errors.AsType[*HeldError](err); !ok || !held.Remote || held.Why != "its process holds the lock" {
		t.Errorf("%v: want a HeldError about another host", err)
	}
}

// sleepy is a backend whose caller falls asleep before it puts a snapshot.
type sleepy struct {
	*Memory
	asleep func()
}

// Put stores an object, later.
func (b *sleepy) Put(ctx context.Context, name string, data []byte) error {
	if sleep := b.asleep; sleep != nil && strings.HasPrefix(name, SnapshotFolder) {
		b.asleep = nil
		sleep()
	}
	return b.Memory.Put(ctx, name, data)
}

// A run falls asleep between the check of its lease and the write of the snapshot
// for which it checked. Whoever takes the target over has put a snapshot before
// the sleeper wakes up, which has to check again then.
func TestCheckWithinAnUpdate(t *testing.T) {
	m, c := NewMemory(), noon()
	a, b := on(m, "ci-a", c), on(m, "ci-b", c)
	sleeps := &sleepy{Memory: m}
	a.b = sleeps
	held := away(t, a, "run-a", hybridcore.PhaseRunning)
	sleeps.asleep = func() {
		c.pass(Term + Skew)
		if _, err := b.Acquire(t.Context(), lease("run-b")); err != nil {
			t.Fatal(err)
		}
	}
	var checks []error
	err := a.Update(t.Context(), func(s *hybridcore.Snapshot) error {
		checks = append(checks, held.Check(t.Context()))
		if last := checks[len(checks)-1]; last != nil {
			return last
		}
		return put(held.key)(s)
	})
	if _, lost := errors.AsType[*LostError](err); !lost || len(checks) != 2 || checks[0] != nil {
		t.Errorf("%v after %v", err, checks)
	}
	if s, err := b.Read(t.Context()); err != nil || len(s.Targets) != 0 {
		t.Errorf("the sleeper's image is current: %+v, %v", s, err)
	}
}

// A holder that has ended for certain cannot wake up: no snapshot is put then.
func TestNoSnapshotAfterAnEndedHolder(t *testing.T) {
	m := NewMemory()
	away(t, open(m), "run-a", hybridcore.PhaseRunning)
	if _, err := open(m).Acquire(t.Context(), lease("run-b")); err != nil {
		t.Fatal(err)
	}
	if s, err := open(m).Read(t.Context()); err != nil || s.Serial != 0 {
		t.Errorf("serial %d, %v", s.Serial, err)
	}
}

func TestRemovedLease(t *testing.T) {
	m := NewMemory()
	held, err := open(m).Acquire(t.Context(), lease("run-1"))
	if err != nil {
		t.Fatal(err)
	}
	clear(m.objects)
	if err := held.Renew(t.Context()); err == nil || !strings.Contains(err.Error(), "was removed from the state") {
		t.Errorf("after the lease was removed by hand: %v", err)
	}
}

func TestSerialGrowsAcrossReleases(t *testing.T) {
	m := NewMemory()
	for want := uint64(1); want <= 4; want++ {
		d := open(m) // each time another process
		held, err := d.Acquire(t.Context(), lease("run-1"))
		if err != nil || held.mine.serial != want {
			t.Fatalf("serial %d, %v; want %d", held.mine.serial, err, want)
		}
		if err := held.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestClockJumps(t *testing.T) {
	m, here, there := NewMemory(), noon(), noon()
	a, b := on(m, "ci-a", here), on(m, "ci-b", there)
	held := away(t, a, "run-a", hybridcore.PhaseRunning)
	pass := func(d time.Duration) { here.pass(d); there.pass(d) }
	live := func(when, why string) {
		t.Helper()
		if err := held.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := b.Leases(t.Context())
		if err != nil || len(all) != 1 || !all[0].Live || !strings.Contains(all[0].Why, why) {
			t.Errorf("%s: %+v, %v", when, all, err)
		}
	}
	here.wall = here.wall.Add(-time.Hour)
	pass(10 * time.Minute)
	live("the holder's clock was set back by an hour", "has renewed it 0s ago")
	here.wall = here.wall.Add(3 * time.Hour)
	live("the holder's clock was set forward", "the clock of that host or of this one is wrong")
	here.wall = there.wall
	there.wall = there.wall.Add(Skew - time.Second)
	live("the other's clock is ahead within the allowance", "has renewed it")
}

func TestLateArrivals(t *testing.T) {
	m, c := NewMemory(), noon()
	d := on(m, "ci-a", c)
	if err := away(t, d, "run-dead", hybridcore.PhaseRunning).hold.Unlock(); err != nil {
		t.Fatal(err)
	}
	const over = "00:00"
	reaper := lease("run-killed-reap")
	reaper.Phase = hybridcore.PhaseReaping // what a reaper that dies leaves is what it came for
	killed, err := d.Acquire(t.Context(), reaper)
	if err == nil {
		err = killed.hold.Unlock()
	}
	if err != nil {
		t.Fatal(err)
	}
	step := func(pass time.Duration, found bool, want string) {
		t.Helper()
		c.pass(pass)
		l := lease("run-reap")
		l.Phase = hybridcore.PhaseReaping
		held, err := d.Acquire(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		if got := runs(held.Past()); got != "run-dead" {
			t.Fatalf("past %q", got)
		}
		again, err := held.Looked(t.Context(), "run-dead", found)
		if got := again.Format("15:04"); err != nil || got != want || again.IsZero() != (want == over) {
			t.Errorf("look again at %s, %v; want %s", got, err, want)
		}
		if err := held.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	step(0, true, "12:10")
	step(time.Minute, false, "12:10")
	step(8*time.Minute, true, "12:19") // a late one: the window begins anew
	step(2*time.Minute, false, "12:19")
	c.wall = c.wall.Add(-time.Hour) // a clock that was set back cannot tell how long it has been quiet
	step(0, false, "11:21")
	step(10*time.Minute, false, over)
	if all, err := d.Leases(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("done with, but listed: %+v, %v", all, err)
	}
}

// A run that cannot clean up after Packer becomes a past one when it ends.
func TestUncleanedRun(t *testing.T) {
	for name, looks := range map[string]bool{"looked": true, "platform not reachable": false} {
		t.Run(name, func(t *testing.T) {
			d := open(NewMemory())
			held, err := d.Acquire(t.Context(), lease("run-1"))
			if err != nil {
				t.Fatal(err)
			}
			if err := held.Update(t.Context(), hybridcore.PhaseUncleaned); err != nil {
				t.Fatal(err)
			}
			if looks {
				if again, err := held.Looked(t.Context(), "run-1", false); err != nil || again.IsZero() {
					t.Errorf("look again at %v, %v", again, err)
				}
			}
			if err := held.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
			all, err := d.Leases(t.Context())
			if err != nil || len(all) != 1 || all[0].Live || runs(all[0].Ended()) != "run-1" ||
				all[0].Ended()[0].QuietSince.IsZero() == looks {
				t.Errorf("leases %+v, %v", all, err)
			}
		})
	}
}

func TestLeaseJudgement(t *testing.T) {
	c := noon()
	here := on(NewMemory(), "ci-1", c)
	here.host.boot = "b1"
	fresh, stale := c.wall.Add(Term), c.wall.Add(-Skew)
	for _, tc := range []struct {
		name  string
		lease hybridcore.Lease
		life  Life
		live  bool
		why   string
	}{
		{"locked", hybridcore.Lease{Host: "ci-1", BootID: "b1", PID: 7, Expires: stale}, Living, true, "holds the lock"},
		{"ended", hybridcore.Lease{Host: "ci-1", BootID: "b1", PID: 7, Expires: fresh}, Ended, false, "process 7 has ended"},
		{
			"container of this kernel",
			hybridcore.Lease{Host: "0a1b2c", BootID: "b1", PID: 7, Expires: fresh},
			Ended, false,
			"process 7 has ended",
		},
		{
			"restarted",
			hybridcore.Lease{Host: "ci-1", BootID: "b0", PID: 7, Expires: fresh},
			Ended, false,
			"host ci-1 has restarted",
		},
		{
			"other host",
			hybridcore.Lease{Host: "ci-2", BootID: "b2", PID: 7, Expires: fresh},
			Ended, true,
			"host ci-2 has renewed it 0s ago",
		},
		{
			"other host, stale",
			hybridcore.Lease{Host: "ci-2", BootID: "b2", PID: 7, Expires: stale},
			Ended, false,
			"host ci-2 has not renewed it since 2026-11-23T11:50:00Z",
		},
		{
			"other host that shares the lock",
			hybridcore.Lease{Host: "ci-2", BootID: "b2", PID: 7, Expires: stale},
			Living,
			true, "holds the lock",
		},
		{"other host without boot ID", hybridcore.Lease{Host: "ci-2", PID: 7, Expires: fresh}, Ended, true, "has renewed it"},
		{
			"lock file replaced",
			hybridcore.Lease{Host: "ci-1", BootID: "b1", PID: 7, Expires: fresh},
			Unknown, true,
			"the lock file of process 7 was removed or replaced",
		},
		{
			"lock file replaced, stale",
			hybridcore.Lease{Host: "ci-1", BootID: "b1", PID: 7, Expires: stale},
			Unknown, false,
			"has not renewed it since",
		},
		{
			"lock file replaced, restarted",
			hybridcore.Lease{Host: "ci-1", BootID: "b0", PID: 7, Expires: fresh},
			Unknown,
			false, "has restarted",
		},
	} {
		live, why := here.believe(tc.lease, tc.life)
		if live != tc.live || !strings.Contains(why, tc.why) {
			t.Errorf("%s: %t, %q", tc.name, live, why)
		}
	}
	if live, why := here.believe(hybridcore.Lease{Host: "ci-1", BootID: "b1", Expires: stale}, Taken); !live {
		t.Errorf("taken by another process: %q", why)
	}
	here.lives = trusting{}
	if live, why := here.believe(hybridcore.Lease{Host: "ci-1", BootID: "b1", PID: 7, Expires: fresh}, Unknown); !live ||
		!strings.Contains(why, "nothing tells whether process 7 has ended") {
		t.Errorf("without liveness: %t, %q", live, why)
	}
	here.host = host{name: "mac"}
	if live, _ := here.believe(hybridcore.Lease{Host: "mac", PID: 7, Expires: fresh}, Ended); live {
		t.Error("without boot IDs the lock of this host decides")
	}
}

func TestLeaseSurvivesItsFile(t *testing.T) {
	want := lease("run-1")
	want.At, want.Expires, want.QuietSince, want.Serial = at().UTC(), at().UTC().Add(Term), at().UTC(), 7
	want.Past = []hybridcore.Lease{lease("run-0")}
	text, err := encodeLease(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeLease(text, want.Key)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
