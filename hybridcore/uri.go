// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:40:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package hybridcore

import "strings"

// URI names one object on a platform.
type URI struct {
	Kind string `json:"kind"` // vm-template, content-library-item, managed-image, ...
	Name string `json:"name"`
	ID   string `json:"id"` // the platform's own identifier
}

// Kinds of what is no image yet.
const (
	KindVM         = "vm"          // a machine of a build that did not end
	KindIncomplete = "incomplete-" // before the kind of an image that is still being made
)

// Complete says whether an object is an image, and no part of an unfinished build.
func (u URI) Complete() bool { return u.Kind != KindVM && !strings.HasPrefix(u.Kind, KindIncomplete) }
