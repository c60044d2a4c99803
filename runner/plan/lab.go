// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:06:00Z
// Spec: openspec/specs/security/spec.md#requirement-a-lab-is-not-a-platform
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package plan

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// withLab adds to versions where the target is built, and what stands in for
// its guest there: inputs like them.
func (p *planning) withLab(t hybridcore.Target, versions map[string]string) map[string]string {
	inputs := map[string]string{hybridcore.LabInput: hybridcore.NoLab}
	if id := p.project.Lab(); id != "" {
		inputs[hybridcore.LabInput] = id
	}
	if key, value, is := hybridcore.GuestInput(p.project.Environ, t.Image); is {
		inputs[key] = value
	}
	maps.Copy(inputs, versions)
	return inputs
}

// labSentence says why it matters where a target was built.
func labSentence(was, now string) string {
	switch {
	case was == "":
		return "the last build does not say whether it was in a lab: its record is of an older version"
	case now == hybridcore.NoLab:
		return "built in a lab, not on this platform"
	case was == hybridcore.NoLab:
		return "built on the platform, not in this lab"
	default:
		return "built in another lab (" + project.Shorten(was) + ")"
	}
}

// endpoints refuses, in a lab, addresses of a target that lead to another
// machine: Packer would be given them.
func (p *planning) endpoints(t hybridcore.Target) []hybridcore.Finding {
	if p.project.Lab() == "" || p.project.Connect == nil { // the other phases of a release connect to nothing
		return nil
	}
	values := map[string]hybridcore.Variable{}
	for _, v := range t.Variables {
		values[v.Name] = v
	}
	var findings []hybridcore.Finding
	for i, name := range t.Platform.Info().Endpoints {
		v := values[name]
		f := hybridcore.Finding{
			Kind: project.KindLab, Subject: name, Severity: hybridcore.Error, Blocking: true,
			Message: fmt.Sprintf("in a lab, %s must lead to this machine, and does not", name),
			Hint:    "take it out of the files; packer-hybrid lab run sets PKR_VAR_" + name,
		}
		if len(v.Layers) > 0 {
			last := v.Layers[len(v.Layers)-1]
			f.File, f.Line = last.File, last.Line
			f.Message += " (set by " + last.Name + ")"
		}
		switch address := v.Plain(); {
		case address == "" && i > 0: // only the first is needed; without it, a client may know the real platform's
		case address == "", !loopback(address):
			findings = append(findings, f)
		}
	}
	return findings
}

// loopback says whether an address, with or without a scheme, is this machine
// without asking anybody for a name.
func loopback(address string) bool {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	at, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(at.Hostname())
	if err != nil {
		return at.Hostname() == "localhost"
	}
	return ip.Unmap().IsLoopback()
}

// standInGuest says before a build that the lab's guest is none of the image's
// system.
func standInGuest(t hybridcore.Target) []hybridcore.Finding {
	guest, marked := hybridcore.StandInGuest(t.Inputs, t.Image.Name)
	if !marked {
		return nil
	}
	return []hybridcore.Finding{{
		Kind: hybridcore.KindIdentity, Subject: t.Image.Name, Severity: hybridcore.Info,
		Want: t.Image.System().String(), Got: guest.String(),
		Message: fmt.Sprintf("the lab's guest, %s, stands in for %s", guest, t.Image.System()),
		Hint:    "what is built here shows that the recipe works; it is no image of that system",
	}}
}
