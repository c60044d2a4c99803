// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:15:09Z
// Spec: openspec/specs/drift/spec.md#requirement-since-when
// Diagram: openspec/specs/drift/diagram.md#since-when

package seen_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/seen"
)

// TestFirstSeen sees a finding on several days, loses it, and sees it again.
func TestFirstSeen(t *testing.T) {
	t.Parallel()
	s, err := directory.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	day := func(n int) time.Time { return time.Date(2026, 12, n, 8, 0, 0, 0, time.UTC) }
	count := func() (n int) {
		for name, err := range s.Objects().List(t.Context(), "drift/lab/") {
			if err != nil || state.KindOf(name) != state.KindSeen {
				t.Errorf("%s: %v", name, err)
			}
			data, err := s.Objects().Get(t.Context(), name)
			if err != nil || state.Examine(name, data) != nil || state.Examine(name, append(data, '}')) == nil {
				t.Errorf("%s: %v", name, err)
			}
			n++
		}
		return n
	}
	all, none := func(string) bool { return true }, func(string) bool { return false }
	for _, c := range []struct {
		at      int
		keys    []string
		gone    func(string) bool
		objects int
		since   map[string]int
	}{
		{1, nil, all, 0, nil}, // nothing is written for nothing
		{2, []string{"a"}, all, 1, map[string]int{"a": 2}},
		{3, []string{"a"}, all, 1, map[string]int{"a": 2}},
		{4, []string{"b", "a"}, all, 2, map[string]int{"a": 2, "b": 4}},
		{5, []string{"b"}, none, 2, map[string]int{"a": 2, "b": 4}}, // a was not looked at
		{6, []string{"b"}, all, 3, map[string]int{"b": 4}},
		{7, []string{"a", "b"}, all, 4, map[string]int{"a": 7, "b": 4}},
		{8, []string{"a"}, all, 4, map[string]int{"a": 7}}, // four generations are kept
	} {
		since, err := seen.Memory{State: s, Env: "lab"}.First(t.Context(), day(c.at), c.keys, c.gone)
		if err != nil || len(since) != len(c.since) || count() != c.objects {
			t.Errorf("day %d: %v, %v, %d objects", c.at, since, err, count())
		}
		for key, n := range c.since {
			if !since[key].Equal(day(n)) {
				t.Errorf("day %d: %s since %v", c.at, key, since[key])
			}
		}
	}
	if _, err := (seen.Memory{State: s, Env: "../x"}).First(t.Context(), day(9), nil, all); err == nil {
		t.Error("an environment that is no name")
	}
}
