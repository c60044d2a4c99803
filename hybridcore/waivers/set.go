// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:56:19Z
// Spec: openspec/specs/waivers/spec.md#requirement-one-form
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package waivers

import (
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Set are the waivers of one file.
type Set []Waiver

// About finds the waivers of a finding that is no leak, whether they hold or not; the
// positions are those in the set.
func (s Set) About(f hybridcore.Finding) []int {
	var found []int
	for i, w := range s {
		if w.isOf(f) && w.Accepts == Accepts(f) {
			found = append(found, i)
		}
	}
	return found
}

// Like finds the waivers of the same thing as the one that accepted a finding.
func (s Set) Like(f hybridcore.Finding) []int {
	var found []int
	for i, w := range s {
		if was := f.Waived; w.Kind == was.Kind && w.Rule == was.Rule && w.Subject == was.Subject &&
			w.Accepts == Accepts(f) {
			found = append(found, i)
		}
	}
	return found
}

// Any says whether there is a waiver of another kind than leaks.
func (s Set) Any() bool {
	return slices.ContainsFunc(s, func(w Waiver) bool { return w.Kind != Leak })
}
