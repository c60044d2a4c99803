// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:41:00Z
// Spec: openspec/specs/templates/spec.md#requirement-names-that-a-platform-accepts
// Diagram: openspec/specs/templates/diagram.md#ways-to-build-on-one-platform

package templates

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Limits of names, in characters: vCenter's of a virtual machine, a label of a
// DNS name (RFC 1035), which Proxmox VE's machines have.
const (
	maxVSphereName = 80
	maxLabel       = 63
	minVMID        = 100 // Proxmox VE keeps smaller numbers to itself
	maxVMID        = 999_999_999
)

// label is one part of a DNS name.
var label = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)

// dnsProblem says why a text is no DNS name.
func dnsProblem(name string) string {
	for part := range strings.SplitSeq(name, ".") {
		switch {
		case !label.MatchString(part):
			return fmt.Sprintf(
				"a virtual machine's name is a DNS name, and %.80q is no part of one: letters, digits and inner '-'", part,
			)
		case len(part) > maxLabel:
			return fmt.Sprintf(
				"a virtual machine's name is a DNS name, and %s has %d characters: at most %d between dots", part, len(part),
				maxLabel,
			)
		}
	}
	return ""
}

// vsphereProblem says why vCenter refuses the name of a machine.
func vsphereProblem(name string) string {
	if len(name) > maxVSphereName {
		return fmt.Sprintf("it has %d characters, a virtual machine's name at most %d", len(name), maxVSphereName)
	}
	return ""
}

// vsphereClone checks what a build on vSphere is cloned from.
func (n *naming) vsphereClone(from hybridcore.Variable) {
	for part := range strings.SplitSeq(strings.Trim(from.Plain(), "/"), "/") {
		if part == "" || len([]rune(part)) > maxVSphereName {
			n.add(from, fmt.Sprintf("clone_from must be the name or the inventory path of a template, "+
				"with 1 to %d characters in each part", maxVSphereName))
			return
		}
	}
}

// proxmoxClone checks what a build on Proxmox VE is cloned from.
func (n *naming) proxmoxClone(from hybridcore.Variable) {
	name := from.Plain()
	if id, err := strconv.Atoi(name); err == nil {
		if id < minVMID || id > maxVMID {
			n.add(from, fmt.Sprintf("clone_from = %s is no number of a template on Proxmox VE: %d to %d",
				name, minVMID, maxVMID))
		}
		return
	}
	if problem := dnsProblem(name); problem != "" {
		n.add(from, "clone_from names no template on Proxmox VE: "+problem)
	}
}
