// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:06:00Z
// Spec: openspec/specs/security/spec.md#requirement-a-lab-is-not-a-platform
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package runner

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
)

// kindLab is the kind of findings and reasons that keep a lab and the real
// platforms apart.
const kindLab = "lab"

// lab is the identity of the lab that this process runs in; empty outside.
func (r *Runner) lab() string { return hybridcore.LabOf(r.Environ) }

// refuseProd keeps a request for a prod environment out of a lab, unless it
// only reads: what a lab builds, marks or removes is not production.
func (r *Runner) refuseProd(req hybridcore.Request, env config.Environment) error {
	if r.lab() == "" || !env.Prod || !req.Live() && !req.Records() {
		return nil
	}
	return hybridcore.Blockedf("%s for the environment %s is refused in a lab: %s has prod = true for it, "+
		"and the platforms here are simulated; name another environment, or run it outside of the lab",
		req.Action, env.Name, config.FileName)
}

// withLab adds to versions where the target is built, and what stands in for
// its guest there: inputs like them.
func (r *Runner) withLab(t hybridcore.Target, versions map[string]string) map[string]string {
	inputs := map[string]string{hybridcore.LabInput: hybridcore.NoLab}
	if id := r.lab(); id != "" {
		inputs[hybridcore.LabInput] = id
	}
	if key, value, is := hybridcore.GuestInput(r.Environ, t.Image); is {
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
		return "built in another lab (" + shorten(was) + ")"
	}
}

// elsewhere says why the platforms in reach cannot have what a run left: to look
// for it here would find nothing, and forget it. Empty when they can.
func (r *Runner) elsewhere(l hybridcore.Lease) string {
	switch l.Lab {
	case r.lab():
		return ""
	case "":
		return "it was on the real platform, and this is a lab: look for it outside"
	default:
		return "it was in the lab " + l.Lab + ": look for it in there, with packer-hybrid lab run"
	}
}

// labNotes says in a target's result that its platform was a simulated one.
func labNotes(t hybridcore.Target) []string {
	if id := hybridcore.BuiltInLab(t.Inputs); id != "" {
		return []string{"lab: " + id + ", a simulated " + t.Platform.Info().Title}
	}
	return nil
}

// endpoints refuses, in a lab, addresses of a target that lead to another
// machine: Packer would be given them.
func (r *Runner) endpoints(t hybridcore.Target) []hybridcore.Finding {
	if r.lab() == "" || r.Connect == nil { // the other phases of a release connect to nothing
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
			Kind: kindLab, Subject: name, Severity: hybridcore.Error, Blocking: true,
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
