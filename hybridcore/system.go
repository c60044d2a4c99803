// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:00:00Z
// Spec: openspec/specs/parity/spec.md#requirement-identity-of-the-guest
// Diagram: openspec/specs/parity/diagram.md#which-system-a-guest-holds

package hybridcore

import (
	"regexp"
	"strings"
)

// KindIdentity is the kind of findings about which system a guest holds.
const KindIdentity = "identity"

// System is an operating system as it names itself in os-release.
type System struct {
	ID      string // debian
	Version string // its VERSION_ID: 12, 24.04
}

// String is "ID VERSION".
func (s System) String() string { return s.ID + " " + s.Version }

// dotted is a version of numbers.
var dotted = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*$`)

// Is says whether a guest is of this system: one of version 9.4 is of 9. What is no
// version of numbers is only of itself.
func (s System) Is(guest System) bool {
	part := strings.HasPrefix(guest.Version, s.Version+".") && dotted.MatchString(s.Version) &&
		dotted.MatchString(guest.Version)
	return s.ID == guest.ID && s.Version != "" && (s.Version == guest.Version || part)
}

// System is what a guest of the image has to hold.
func (i Image) System() System { return System{ID: i.Family, Version: i.Version} }

// LabGuestVariable is where a lab tells which system its guests hold, as
// "ID VERSION".
const LabGuestVariable = "PACKER_HYBRID_LAB_GUEST"

// guestKey starts the key of a stand-in guest among inputs.
const guestKey = "guest:"

// GuestInput is the input of a target whose guest is a stand-in of the lab that
// a process with this environment runs in; ok is false where it is none. Only
// the lab decides that: nothing in a project or a guest can.
func GuestInput(environ []string, image Image) (key, value string, ok bool) {
	if LabOf(environ) == "" {
		return "", "", false
	}
	var guest System
	text, _ := LookupEnv(environ, LabGuestVariable)
	guest.ID, guest.Version, _ = strings.Cut(text, " ")
	if !nameRule.MatchString(guest.ID) || !nameRule.MatchString(guest.Version) || image.System().Is(guest) {
		return "", "", false
	}
	return guestKey + image.Name, guest.String() + StandInLabel, true
}

// StandInGuest is the system of the stand-in that the inputs of an image name.
func StandInGuest(inputs map[string]string, image string) (System, bool) {
	text, marked := strings.CutSuffix(inputs[guestKey+image], StandInLabel)
	if !marked || BuiltInLab(inputs) == "" {
		return System{}, false
	}
	id, version, _ := strings.Cut(text, " ")
	return System{ID: id, Version: version}, true
}
