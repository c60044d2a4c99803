// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:04:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref

import (
	"testing"
	"time"
)

// TestRoom leaves room for others when many changes come in a row or races were lost, and none otherwise.
func TestRoom(t *testing.T) {
	t.Parallel()
	most := func(pause func() time.Duration) (longest time.Duration) {
		for range 200 {
			longest = max(longest, pause())
		}
		return longest
	}
	now := time.Now()
	var t1 turns
	for range manyInARow {
		if pause := t1.won(100*time.Millisecond, now); pause != 0 {
			t.Errorf("a pause of %s, though nobody is in the way", pause)
		}
		now = now.Add(100 * time.Millisecond)
	}
	longest := most(func() time.Duration { return t1.won(100*time.Millisecond, now) })
	if longest < 50*time.Millisecond || longest > 100*time.Millisecond {
		t.Errorf("after many in a row it is up to %s", longest)
	}
	if pause := t1.won(time.Second, now.Add(time.Hour)); pause != 0 {
		t.Errorf("an hour later it is %s", pause)
	}
	lost := func() (t turns) {
		for range 20 {
			t.lost(0)
		}
		return t
	}
	t2 := lost()
	if longest := most(func() time.Duration { return t2.lost(0) }); longest < mostRoom/2 || longest > mostRoom {
		t.Errorf("after lost races it is up to %s", longest)
	}
	if longest := most(func() time.Duration { return t2.lost(2 * longWait) }); longest > mostRoom/4 {
		t.Errorf("after a long wait it is up to %s", longest)
	}
	longest = most(func() time.Duration { t3 := lost(); return t3.won(0, now) })
	if longest < mostRoom/2 {
		t.Errorf("after a push that followed lost races it is up to %s", longest)
	}
	for range 30 {
		t2.won(0, now)
	}
	if pause := t2.won(0, now.Add(time.Hour)); pause != 0 {
		t.Errorf("after no more races it is %s", pause)
	}
}
