// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:56:00Z
// Spec: openspec/specs/waivers/spec.md#requirement-one-form
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package waivers

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// maxAccepts is how long what a waiver accepts may be to stand in it as text.
const maxAccepts = 200

// digested begins what stands for a longer text. A text that begins so is digested too.
const digested = "sha256:"

// needAccepts are rules of drift that say what is there: a waiver of one has to say what it accepts.
var needAccepts = []string{"drift-edited", "drift-renamed"}

// needs says whether a waiver has to have a setting.
func (w Waiver) needs(name string) bool {
	return name != "accepts" || slices.Contains(needAccepts, w.Rule)
}

// Accepts is what a waiver of a finding of drift accepts: what is there, or a digest of it when it is long or could
// not be read in a file. Of other findings it is empty.
func Accepts(f hybridcore.Finding) string {
	got := strings.TrimSpace(f.Got)
	switch {
	case f.Kind != Drift && f.Waived.Kind != Drift:
		return ""
	case len(got) > maxAccepts, hclfile.Printable(got) != got, strings.HasPrefix(got, digested), got == Ask:
		return fmt.Sprintf("%s%x", digested, sha256.Sum256([]byte(got)))
	}
	return got
}

// Otherwise finds a waiver of a finding that accepts something else; -1 when there is none.
func (s Set) Otherwise(f hybridcore.Finding) int {
	return slices.IndexFunc(s, func(w Waiver) bool { return w.isOf(f) && w.Accepts != Accepts(f) })
}

// isOf says whether a waiver is of the rule and the subject of a finding that is no leak.
func (w Waiver) isOf(f hybridcore.Finding) bool {
	return w.Kind != Leak && w.Kind == KindFor(f) && w.Rule == f.Rule && w.Subject == SubjectOf(f)
}
