// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:58:00Z
// Spec: openspec/specs/runner/spec.md#requirement-stages-stand-on-one-project
// Diagram: openspec/specs/runner/diagram.md#layers-of-the-runner

package project

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// RecordTimeout bounds writing the record, also after a cancel: CI gives a
// cancelled job ten seconds.
const RecordTimeout = 8 * time.Second

// ArtifactName names everything that a run creates for an image: new with each
// run, so that a build never touches an earlier one's artifact.
func ArtifactName(image, runID string) string { return image + "-" + runID }

// InventoryName is the name of a target's inventory among the files of a record.
func InventoryName(target string) string { return target + ".inventory.json" }

// NewScratch names a scratch directory that does not exist yet: the lease has
// the name before there is anything in it.
func NewScratch() string {
	path := filepath.Join(os.TempDir(), "ph-"+strings.ToLower(rand.Text()[:10]))
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}

// Recorded says whether a run left a record: one in which nothing was built,
// published or tried does not.
func Recorded(rec hybridcore.Record) bool {
	return rec.Status != hybridcore.UnchangedDone && rec.Request.Records() && !rec.Request.DryRun
}

// Refused is the error of a plan that must not be gone on with; nil of any other.
func Refused(plan hybridcore.Plan) error {
	if hybridcore.Blocked(plan.Findings) == hybridcore.NotBlocked {
		return nil
	}
	refused := &hybridcore.FindingsError{}
	for _, f := range plan.Findings {
		if f.Blocking {
			refused.Findings = append(refused.Findings, f)
		}
	}
	return refused
}

// PlanDigest identifies a plan by what it decided.
func PlanDigest(p hybridcore.Plan) string {
	parts := map[string]string{"commit": p.Commit, "env": p.Request.Env}
	for _, t := range p.Targets {
		decided, err := json.Marshal([]any{t.Target.Digest, t.Decision, t.Reasons})
		if err != nil {
			panic("runner: a plan of plain values does not encode: " + err.Error())
		}
		parts[t.Target.Key()] = string(decided)
	}
	return hybridcore.DigestOf(parts)
}

// maxShown bounds a value in a sentence, in runes.
const maxShown = 60

// Shorten cuts a value to what has room in a sentence.
func Shorten(value string) string { return text.Cut(value, maxShown) }

// folders is a path to a file, without its last part.
var folders = regexp.MustCompile("(^|[\\s(=,`])(?:/[^/\\s:;,()]+)+/")

// Portable leaves out the folders of this machine: a plan reads the same on all.
func Portable(text string) string { return folders.ReplaceAllString(text, "$1…/") }
