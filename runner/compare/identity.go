// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:02:00Z
// Spec: openspec/specs/parity/spec.md#requirement-identity-of-the-guest
// Diagram: openspec/specs/parity/diagram.md#which-system-a-guest-holds

package compare

import (
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// CheckSystem compares the system that a guest says it holds with that of its
// image, or of the stand-in that the inputs of its build name. There is no
// finding when it is the image's.
func CheckSystem(
	image hybridcore.Image, platform hybridcore.Platform, inputs map[string]string, guest parity.Normal,
) []hybridcore.Finding {
	want, said := image.System(), guest.System()
	standIn, marked := hybridcore.StandInGuest(inputs, image.Name)
	f := hybridcore.Finding{
		Kind: hybridcore.KindIdentity, Subject: hybridcore.TargetName(image.Name, platform),
		File: image.File, Line: image.Line, Want: want.String(), Got: foreign(said), Severity: hybridcore.Error,
		Blocking: true,
	}
	switch {
	case marked && standIn.Is(said):
		f.Severity, f.Blocking = hybridcore.Info, false
		f.Message = fmt.Sprintf("the guest of %s is a stand-in of the lab: it holds %s, not %s", f.Subject, f.Got, want)
	case !marked && want.Is(said):
		return nil
	case marked:
		f.Message = fmt.Sprintf("the guest of %s holds %s; the lab says that %s stands in for %s",
			f.Subject, f.Got, standIn, want)
		f.Hint = "start the lab again: it and its root file system are not of one version"
	default:
		f.Message = fmt.Sprintf("the guest of %s holds %s, and the image is to be %s", f.Subject, f.Got, want)
		f.Hint = "correct what the build starts from (iso_file, clone_from, the Marketplace image), " +
			"or family and version of the image"
	}
	return []hybridcore.Finding{f}
}

// AnotherSystemError says that a build made no image of what it was to be.
type AnotherSystemError struct{ Message string }

// Error implements error.
func (e *AnotherSystemError) Error() string { return "built, but it is not the image: " + e.Message }

// foreign is what a guest says of itself, fit for one line of a report.
func foreign(said hybridcore.System) string {
	if raw := text.Line(said.String()); raw != "" {
		return project.Shorten(raw)
	}
	return "nothing that names its system"
}
