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
		if pause := t1.before(now); pause != 0 {
			t.Errorf("a pause of %s, though nobody is in the way", pause)
		}
		t1.won(now, now.Add(100*time.Millisecond))
		now = now.Add(100 * time.Millisecond)
	}
	t1.won(now, now.Add(100*time.Millisecond))
	pause := most(func() time.Duration { return t1.before(now) })
	if pause < 50*time.Millisecond || pause > 100*time.Millisecond {
		t.Errorf("after many in a row it is up to %s", pause)
	}
	if pause := t1.before(now.Add(time.Minute)); pause != 0 {
		t.Errorf("a minute later it is %s", pause)
	}
	var t2 turns
	for range 20 {
		t2.lost(0)
	}
	if pause := most(func() time.Duration { return t2.lost(0) }); pause < mostRoom/2 || pause > mostRoom {
		t.Errorf("after lost races it is up to %s", pause)
	}
	if pause := most(func() time.Duration { return t2.lost(2 * longWait) }); pause > mostRoom/4 {
		t.Errorf("after a long wait it is up to %s", pause)
	}
	if pause := most(func() time.Duration { return t2.before(now) }); pause < mostRoom/2 {
		t.Errorf("before the next change it is up to %s", pause)
	}
	for range 30 {
		t2.won(now, now)
	}
	if pause := t2.before(now.Add(time.Hour)); pause != 0 {
		t.Errorf("after no more races it is %s", pause)
	}
}
