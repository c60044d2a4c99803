// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:20:33Z
// Spec: openspec/specs/leases/spec.md#requirement-a-lease-is-released-by-hand
// Diagram: openspec/specs/leases/diagram.md#released-by-hand

package state

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// TestFree releases the lease of another host by hand: at once by force, and without it
// when the lease was not renewed for two minutes, long before it ends.
func TestFree(t *testing.T) {
	m, c := NewMemory(), noon()
	a, b := on(m, "ci-a", c), on(m, "ci-b", c)
	by := hybridcore.Freed{By: "ann@desk", At: c.wall, Reason: "ci-a is gone", RunID: "run-free"}
	sleeper := away(t, a, "run-a", hybridcore.PhaseRunning)
	c.pass(Recent - time.Second)
	_, err := b.Free(t.Context(), lease("x").Key, by, false)
	if held, ok := errors.AsType[*HeldError](err); !ok || held.Known || !held.Remote {
		t.Fatalf("renewed 1m59s ago: %v", err)
	}
	c.pass(time.Second)
	was, err := b.Free(t.Context(), lease("x").Key, by, false)
	if err != nil || was.RunID != "run-a" {
		t.Fatalf("renewed 2m ago: %+v, %v", was, err)
	}
	_, stored, err := b.readLease(t.Context(), lease("x").Key)
	if err != nil || stored.Phase != hybridcore.PhaseReleased || stored.Serial != sleeper.mine.serial+1 {
		t.Errorf("stored is %+v, %v", stored, err)
	}
	err = sleeper.Renew(t.Context())
	if _, lost := errors.AsType[*LostError](err); !lost || !strings.Contains(err.Error(),
		"was taken from run run-a by ann@desk at 2026-11-23T12:00:00Z: ci-a is gone") {
		t.Errorf("the sleeper learns: %v", err)
	}
}

// TestFreedWhileItStores has a holder look at its lease, and lose it before it stores.
func TestFreedWhileItStores(t *testing.T) {
	m, c := NewMemory(), noon()
	a, b := on(m, "ci-a", c), on(m, "ci-b", c)
	held := away(t, a, "run-a", hybridcore.PhaseRunning)
	looks := 0
	err := a.Update(t.Context(), func(s *hybridcore.Snapshot) error {
		looks++
		if err := held.Check(t.Context()); err != nil {
			return err
		}
		_, err := b.Free(t.Context(), lease("x").Key, hybridcore.Freed{RunID: "run-free"}, true)
		s.Targets["lab/debian-12@vsphere"] = hybridcore.Current{RunID: "run-a"}
		return err
	})
	if _, lost := errors.AsType[*LostError](err); !lost || looks != 2 {
		t.Errorf("after %d looks: %v", looks, err)
	}
	if s, err := b.Read(t.Context()); err != nil || len(s.Targets) != 0 {
		t.Errorf("stored is %+v, %v", s, err)
	}
}

// telling is a backend whose clock is apart from this host's.
type telling struct {
	*Memory
	off Offset
	err error
}

func (b telling) Offset(context.Context) (Offset, error) { return b.off, b.err }

func TestClocks(t *testing.T) {
	for want, b := range map[string]Backend{
		"": NewMemory(), " ": telling{off: Offset{Behind: 5 * time.Minute}},
		"  ":               telling{off: Offset{Behind: -time.Hour, AtLeast: true}},
		"is 6m0s behind X": telling{off: Offset{Behind: 6 * time.Minute, Of: "X"}},
		"is at least 6m0s behind X": telling{off: Offset{
			Behind: 6 * time.Minute, AtLeast: true, Of: "X",
		}},
		"is 7m0s ahead of X": telling{off: Offset{Behind: -7 * time.Minute, Of: "X"}},
	} {
		found, err := Clocks(t.Context(), New(b, Capabilities{}))
		if err != nil || (len(found) == 0) != (strings.TrimSpace(want) == "") {
			t.Errorf("%q: %v, %v", want, found, err)
		}
		if len(found) > 0 && (!strings.Contains(found[0].Message, want) || found[0].Blocking) {
			t.Errorf("%q: %+v", want, found)
		}
	}
}
