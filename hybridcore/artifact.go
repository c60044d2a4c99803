// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:40:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package hybridcore

import "slices"

// Artifact is what a build left on the platform.
type Artifact struct {
	ID      string `json:"id"`      // as Packer reported it
	Builder string `json:"builder"` // e.g. jetbrains.vsphere, as Packer reported it
	URIs    []URI  `json:"uris"`    // looked up live after the build
	// Fingerprints are of the URIs, taken right after the build; none when that failed, or
	// when it was built before there were any.
	Fingerprints []Fingerprint `json:"fingerprints,omitempty"`
}

// Name is the name of what was built, as the platform has it; empty for nothing.
func (a *Artifact) Name() string {
	switch {
	case a == nil:
		return ""
	case len(a.URIs) > 0:
		return a.URIs[0].Name
	}
	return a.ID
}

// Fingerprint is the one that was taken of an object; nil when there is none.
func (a *Artifact) Fingerprint(of URI) *Fingerprint {
	if a == nil {
		return nil
	}
	at := slices.IndexFunc(a.Fingerprints, func(f Fingerprint) bool { return f.Of == of })
	if at < 0 {
		return nil
	}
	return &a.Fingerprints[at]
}
