// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/packer/spec.md#requirement-residue-of-the-build
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package packer

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// residueMark begins the lines that scripts/linux/residue.py prints in the guest.
const residueMark = "residue: "

// KindResidue is the kind of findings about what a build left in its image.
const KindResidue = "residue"

// residue is what the last step found in the guest.
type residue struct {
	findings []hybridcore.Finding
	left     int  // that must not be, as the step counted them
	checked  bool // the step came to its end
}

// line takes in one line of a provisioner's output.
func (r *residue) line(text string) {
	document, ok := strings.CutPrefix(strings.TrimSpace(text), residueMark)
	if !ok {
		return
	}
	var said struct {
		Kind, Path, What, Role, Severity string
		Left, Warnings                   *int
	}
	if json.Unmarshal([]byte(document), &said) != nil {
		return // another program's line
	}
	if said.Left != nil && said.Warnings != nil {
		r.checked, r.left = true, max(*said.Left, 0)
		return
	}
	if said.Path == "" || said.What == "" || len(r.findings) == maxTexts {
		return
	}
	severity := hybridcore.Error
	if said.Severity == string(hybridcore.Warning) {
		severity = hybridcore.Warning
	}
	r.findings = append(r.findings, hybridcore.Finding{
		Kind: KindResidue, Subject: said.Path, Severity: severity, Blocking: severity == hybridcore.Error,
		Message: fmt.Sprintf("left in the image: %s: %s (%s)", said.Path, said.What, said.Kind),
		Hint:    "the role to remove it: " + said.Role,
	})
}

// failure says that something is left; empty when nothing is.
func (r *residue) failure() string {
	switch {
	case !r.checked || r.left == 0:
		return ""
	case r.left == 1:
		return "the image is not clean: the build left one thing in it that must not be there, see the finding"
	}
	return fmt.Sprintf("the image is not clean: the build left %d things in it that must not be there, see the findings",
		r.left)
}
