// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:43:38Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package forges_test

import (
	"testing"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/forges"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// TestNothingIsSharedWithoutVersions: a machine without Packer or a plugin does not know whether a
// target is unchanged, and makes neither jobs of it nor a plan of nothing.
func TestNothingIsSharedWithoutVersions(t *testing.T) {
	target := hybridcore.Target{
		Image: hybridcore.Image{Name: "debian-12"}, Platform: hybridcore.VSphere, Env: "lab", Digest: "d",
	}
	for _, name := range []string{"github", "gitlab"} {
		of, ok := forges.Named(name)
		if !ok {
			t.Fatal(name)
		}
		for _, decision := range []hybridcore.Decision{hybridcore.Build, hybridcore.Unchanged} {
			for _, packer := range []string{"", "1.15.0"} {
				target.Inputs = map[string]string{"source": "null.linux"}
				if packer != "" {
					target.Inputs["packer"] = packer
				}
				plan := hybridcore.Plan{Targets: []hybridcore.PlannedTarget{{Target: target, Decision: decision}}}
				text, err := of.Jobs.Share(forge.Shares{Plan: &plan})
				refused := hybridcore.ExitCode(err) == hybridcore.ExitBlocked
				if refused != (packer == "") || refused != (text == "") {
					t.Errorf("%s, %s, Packer %q: %v\n%s", name, decision, packer, err, text)
				}
			}
		}
	}
}
