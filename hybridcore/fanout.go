// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:52:00Z
// Spec: openspec/specs/runner/spec.md#requirement-one-part-of-a-build
// Diagram: openspec/specs/runner/diagram.md#fan-out

package hybridcore

import (
	"encoding/hex"

	"github.com/spf13/pflag"
)

// Pin says what exactly a request is about, so that nothing else is done when
// the world has moved on since it was decided.
type Pin struct {
	// Heads are the commits that the checkout may be at, by full object ID: at
	// another one nothing is planned. Empty is any.
	Heads []string `json:"heads,omitempty"`
	// Part is the digest that the one target of a build must have, which is part
	// of a build on several machines: its record goes into a folder of its own,
	// and not into the state. Empty for a whole build.
	Part string `json:"part,omitempty"`
}

// checkPin refuses a pin that cannot be meant.
func (r *Request) checkPin() error {
	for _, id := range r.Heads {
		if !isHex(id, 40) && !isHex(id, 64) {
			return Usagef("--commit %.80q is not the full object ID of a commit", id)
		}
	}
	switch {
	case r.Part == "":
		return nil
	case !isHex(r.Part, 64):
		return Usagef("--part %.80q is not the digest of a target: `packer-hybrid plan --matrix github` gives it", r.Part)
	case len(r.Images) != 1 || len(r.Platforms) != 1:
		return Usagef("--part is for one target: name one image and one platform")
	}
	return nil
}

func isHex(text string, digits int) bool {
	_, err := hex.DecodeString(text)
	return err == nil && len(text) == digits
}

// Live says whether the request reaches platforms: then what says how to reach
// them must be at hand.
func (r Request) Live() bool {
	return r.Action != ActionPlan && r.Action != ActionCollect && !r.InProcess()
}

// Records says whether the request makes a record.
func (r Request) Records() bool {
	return r.Action == ActionBuild || r.Action == ActionCollect || r.Action == ActionPublish
}

// Reads says whether the request only shows what the state holds.
func (r Request) Reads() bool {
	return r.Action == ActionStatus || r.Action == ActionInspect || r.Action == ActionParity
}

func bindCommit(fs *pflag.FlagSet, r *Request) {
	fs.StringSliceVar(&r.Heads, "commit", nil, "the full ID of the commit that the checkout must be at")
}

func bindPin(fs *pflag.FlagSet, r *Request) {
	bindCommit(fs, r)
	fs.StringVar(&r.Part, "part", "",
		"build one target of plan --matrix: it must have this digest, and its record goes to "+PartsDir+"/")
}

// PartsDir is where a part of a build leaves its record, in the project: a
// folder for each target, with the files of a state.
const PartsDir = "artifacts/parts"

func collectVerb() Verb {
	return Verb{
		Action: ActionCollect, Args: "DIR...", Short: "Make one record of a build that ran in parts on several machines",
		Long: `Collect plans as build does, and takes each target's result from what
` + "`build --part`" + ` left below the folders, where every part must be of this commit and
have the digest that is planned here. It compares the images across platforms,
records once, and reports and ends as one build would. A target without a part
failed. It reaches no platform. A second collect of the same parts changes nothing.`,
		Example: `  packer-hybrid collect parts --env prod
  packer-hybrid collect artifacts/parts --image debian-12`,
		Bind: func(fs *pflag.FlagSet, r *Request) {
			fs.BoolVar(&r.Rebuild, "rebuild", false, "the parts were planned with --rebuild")
			bindCommit(fs, r)
		},
	}
}
