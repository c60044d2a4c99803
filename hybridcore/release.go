// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:33:00Z
// Spec: openspec/specs/runner/spec.md#requirement-publish-all-or-none
// Diagram: openspec/specs/runner/diagram.md#publish

package hybridcore

import "time"

// Release is one named version of images, as they are on their platforms.
type Release struct {
	Name   string          `json:"name"`
	Env    string          `json:"env"`
	Commit string          `json:"commit,omitempty"` // of the checkout that published it
	RunID  string          `json:"run_id"`           // that published it
	At     time.Time       `json:"at"`
	Images []ReleasedImage `json:"images"`
}

// ReleasedImage is one image of a release on all its platforms.
type ReleasedImage struct {
	Image     string             `json:"image"`
	Recipe    string             `json:"recipe"`           // digest of what all its platforms have in common
	Parity    []Manifest         `json:"parity,omitempty"` // content manifests that were compared; none for one platform
	Artifacts []ReleasedArtifact `json:"artifacts"`
}

// ReleasedArtifact is an image of a release on one platform.
type ReleasedArtifact struct {
	Platform  Platform   `json:"platform"`
	RunID     string     `json:"run_id"`           // that built it
	Commit    string     `json:"commit,omitempty"` // that it was built from
	BuiltAt   time.Time  `json:"built_at"`
	Digest    string     `json:"digest"` // of everything that went in
	Artifact  Artifact   `json:"artifact"`
	Inventory *Inventory `json:"inventory,omitempty"`
}

// ReleaseRef is what the state knows of a release.
type ReleaseRef struct {
	RunID string    `json:"run_id"` // whose record has it
	At    time.Time `json:"at"`
	Plan  string    `json:"plan,omitempty"` // digest of the plan that it was published by
}

// Find returns the artifact of an image on a platform; nil when the release has
// none.
func (r Release) Find(image string, platform Platform) *ReleasedArtifact {
	for _, i := range r.Images {
		for n, a := range i.Artifacts {
			if i.Image == image && a.Platform == platform {
				return &i.Artifacts[n]
			}
		}
	}
	return nil
}
