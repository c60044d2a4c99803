// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:06:00Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package github_test

import (
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// TestUnnamedRunners says when jobs would go to runners that nobody has named.
func TestUnnamedRunners(t *testing.T) {
	t.Parallel()
	named := ci.Runners{hybridcore.VSphere: {"near"}, hybridcore.Azure: {"ubuntu-latest"}, hybridcore.Proxmox: {}}
	all := []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere, hybridcore.Azure}
	for name, c := range map[string]struct {
		runners   ci.Runners
		platforms []hybridcore.Platform
		want      []string // none: nothing is said
	}{
		"all are named": {named, all[1:], nil},
		"no platform":   {nil, nil, nil},
		"an empty list": {
			named, all,
			[]string{"for proxmox:", "GitHub's own ubuntu-latest", `runners = { proxmox = ["LABEL"] }`},
		},
		"none":             {nil, all, []string{"for proxmox, vsphere, azure:", "GitHub's own ubuntu-latest"}},
		"none for one":     {nil, all[2:], []string{"for azure:"}},
		"another platform": {ci.Runners{"hyperv": {"x"}}, all[:1], []string{"for proxmox:"}},
	} {
		got := github.Forge().Jobs.Unnamed(c.runners, c.platforms)
		if (got == "") != (c.want == nil) {
			t.Errorf("%s: %q", name, got)
		}
		for _, part := range c.want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %q has no %q", name, got, part)
			}
		}
	}
}
