// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:04:00Z
// Spec: openspec/specs/security/spec.md#requirement-a-lab-is-not-a-platform
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package hybridcore

import "strings"

// Variables by which a lab tells the commands in it where they are.
const (
	LabVariable   = "PACKER_HYBRID_LAB"    // the folder of the running lab
	LabIDVariable = "PACKER_HYBRID_LAB_ID" // which lab it is: the same each time that it is started
)

// LabInput is the input of a target that says in which lab it is built: NoLab
// for a real platform. Records from before it have none.
const (
	LabInput = "lab"
	NoLab    = "none"
)

// unnamedLab is the identity of a lab that does not tell one.
const unnamedLab = "unnamed"

// LookupEnv is the value of a variable, the last one as in a shell, and whether it is set at all.
func LookupEnv(environ []string, name string) (value string, set bool) {
	for _, entry := range environ {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value, set = v, true
		}
	}
	return value, set
}

// LabOf is the identity of the lab that a process with this environment runs
// in; empty outside of a lab.
func LabOf(environ []string) string {
	folder, _ := LookupEnv(environ, LabVariable)
	id, _ := LookupEnv(environ, LabIDVariable)
	switch {
	case folder == "":
		return ""
	case id == NoLab, !nameRule.MatchString(id):
		return unnamedLab
	default:
		return id
	}
}

// BuiltInLab is the identity of the lab that inputs are of; empty for those of
// a real platform and for those that do not say it.
func BuiltInLab(inputs map[string]string) string {
	if id := inputs[LabInput]; id != NoLab {
		return id
	}
	return ""
}
