// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:59:56Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-in-phases
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package gitlab

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// Each job of a release and of a reap has the credentials of one platform or of
// none, and none marks before all are prepared.
func TestPipelineOfARelease(t *testing.T) {
	platforms := []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere, hybridcore.Azure}
	text, err := childPipeline(forge.Shares{Decision: ci.Decision{
		Run: "1", SHA: strings.Repeat("ab", 20), Policy: strings.Repeat("ab", 20), Merged: true, Env: "prod",
		Lines: []string{"publish --env prod --release v1", "reap --env prod"}, Platforms: platforms,
	}})
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	delete(doc, "stages")
	jobs := map[string]glJob{}
	for name, node := range doc {
		var job glJob
		if err := node.Decode(&job); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		jobs[name] = job
		phase, platform, _ := strings.Cut(name, " ")
		own := slices.Contains(platforms, hybridcore.Platform(platform))
		want, on := "packer-hybrid-state", ""
		if own {
			want, on = "prod/"+platform, platform
		}
		if job.Environment["name"] != want || job.Variables[ci.PlatformVariable] != on {
			t.Errorf("%s has the environment %v and the platform %q", name, job.Environment, job.Variables[ci.PlatformVariable])
		}
		for _, other := range platforms {
			if phase == "mark" && !slices.Contains(job.Needs, "prepare "+string(other)) {
				t.Errorf("%s does not wait until %s is prepared: %v", name, other, job.Needs)
			}
		}
	}
	for name, want := range map[string][]string{
		"released": {"release plan", "prepare azure", "mark azure", "mark vsphere"}, "reaped": {
			"reap proxmox",
			"reap vsphere", "reap azure",
		},
	} {
		for _, one := range want {
			if job := jobs[name]; job.When != "always" || !slices.Contains(job.Needs, one) {
				t.Errorf("%s does not report whatever becomes of %s: when %q, needs %v", name, one, job.When, job.Needs)
			}
		}
	}
	if len(jobs) != 12 {
		t.Errorf("%d jobs in\n%s", len(jobs), text)
	}
}
