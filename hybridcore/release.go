// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:33:00Z
// Spec: openspec/specs/runner/spec.md#requirement-publish-all-or-none
// Diagram: openspec/specs/runner/diagram.md#publish

package hybridcore

import (
	"time"

	"github.com/spf13/pflag"
)

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

func publishVerb() Verb {
	return Verb{
		Action: ActionPublish, Args: "[IMAGE...]", Short: "Mark what was built as a release, everything or nothing",
		Long: `Publish releases images on all their platforms: every target must be built from
this tree, the platforms must have the same content (templates/parity.hcl), and
every artifact must be there, looked up live. Only then each is marked: notes and
a tag on Proxmox VE, notes and the description of the library item on vSphere, a
tag on Azure; nothing of what is there is changed. The release is recorded and
written to artifacts/release.json. After an interruption status names the release;
run publish again: it completes what is missing. A release never changes its
artifacts.

The release is called like the tag at HEAD; without one like the day of the newest
build and the commit.`,
		Example: `  packer-hybrid publish --env prod --dry-run
  packer-hybrid publish --env prod
  packer-hybrid publish debian-12 --env prod --release v1.4.0`,
		Bind: func(fs *pflag.FlagSet, r *Request) {
			fs.StringVar(&r.Release, "release", "", "name of the release: 1 to 64 of a-z, 0-9, '.', '_' and '-'")
			fs.BoolVar(&r.DryRun, "dry-run", false, "check everything, and mark nothing")
			bindCommit(fs, r)
		},
	}
}
