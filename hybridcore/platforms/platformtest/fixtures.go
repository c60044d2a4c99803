// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:26:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-one-folder-a-platform
// Diagram: openspec/specs/platforms/diagram.md#one-folder-a-platform

// Package platformtest is the suite that the client of every platform passes. A
// platform's folder gives it a simulated platform with what belongs to others on it.
package platformtest

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// The run that died, what its artifact was to be named, and the notes of all that it made.
const (
	DeadRun  = "20261101t000000-dead0000"
	DeadName = "debian-12-" + DeadRun
	Notes    = "debian-12 for lab, run " + DeadRun + ", built by packer-hybrid with Packer 1.15.0"
)

// The CDs that the dead run's Packer had made: one is of a machine of its own in
// some cases, one has no machine, and somebody has put one into another machine.
const (
	BuiltISO   = "packer1902627640.iso"
	LooseISO   = "packer55.iso"
	MountedISO = "packer888.iso"
)

// With returns settings with some changed: name, value, and so on.
func With(settings map[string]string, changes ...string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, settings)
	for pair := range slices.Chunk(changes, 2) {
		all[pair[0]] = pair[1]
	}
	return all
}

// Lines are URIs as Orphan.Leave writes them.
func Lines(uris []hybridcore.URI) []string {
	list := make([]string, 0, len(uris))
	for _, u := range uris {
		list = append(list, u.Kind+" "+u.ID)
	}
	slices.Sort(list)
	return list
}

// Same compares lists whose order does not matter.
func Same(t *testing.T, what string, want, got []string) {
	t.Helper()
	want, got = slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
