// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/packer/spec.md#requirement-residue-of-the-build
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package output

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

// Residue is what the last step found in the guest.
type Residue struct {
	Findings []hybridcore.Finding
	Left     int  // that must not be, as the step counted them
	Checked  bool // the step came to its end
}

// Line takes in one line of a provisioner's output.
func (r *Residue) Line(text string) {
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
		r.Checked, r.Left = true, max(*said.Left, 0)
		return
	}
	if said.Path == "" || said.What == "" || len(r.Findings) == MaxTexts {
		return
	}
	severity := hybridcore.Error
	if said.Severity == string(hybridcore.Warning) {
		severity = hybridcore.Warning
	}
	r.Findings = append(r.Findings, hybridcore.Finding{
		Kind: KindResidue, Subject: said.Path, Severity: severity, Blocking: severity == hybridcore.Error,
		Message: fmt.Sprintf("left in the image: %s: %s (%s)", said.Path, said.What, said.Kind),
		Hint:    "the role to remove it: " + said.Role,
	})
}

// Failure says that something is left; empty when nothing is.
func (r *Residue) Failure() string {
	switch {
	case !r.Checked || r.Left == 0:
		return ""
	case r.Left == 1:
		return "the image is not clean: the build left one thing in it that must not be there, see the finding"
	}
	return fmt.Sprintf("the image is not clean: the build left %d things in it that must not be there, see the findings",
		r.Left)
}
