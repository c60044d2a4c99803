// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:19:00Z
// Spec: openspec/specs/state/spec.md#requirement-who-reaches-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package stored

import (
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket/wire"
	"github.com/packer-hybrid/packer-hybrid/runner/places"
)

// bucketProgram names the program that keeps a state in a bucket, in place of the one
// beside packer-hybrid.
const bucketProgram = "PACKER_HYBRID_BUCKET"

func bucketOptions(env places.Env, of config.Project) bucket.Options {
	return bucket.Options{Address: of.State.URL, Named: of.State.Named, Environ: env}
}

// openBucket opens a state in a bucket.
func openBucket(env places.Env, of config.Project) (*state.Store, error) {
	b, err := bucket.New(bucketOptions(env, of))
	if err != nil {
		return nil, err
	}
	candidates := places.Beside(wire.Name)
	if path := env.Getenv(bucketProgram); path != "" {
		candidates = []string{path}
	}
	if b.Program = places.FirstProgram(candidates); b.Program == "" {
		return nil, hybridcore.Blockedf("%s, which keeps a state in a bucket, was not found (%s): `make build` makes it "+
			"beside packer-hybrid, the container image has it, and %s names one elsewhere", wire.Name, candidates[0],
			bucketProgram)
	}
	return state.New(b, state.Capabilities{Guide: b}), nil
}
