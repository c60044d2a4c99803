// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:40:00Z
// Spec: openspec/specs/values/spec.md#requirement-command-grammar
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package command

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func TestParse(t *testing.T) {
	tests := []struct {
		text string
		want hybridcore.Request
	}{
		{
			"build ubuntu-24.04 --env prod --targets proxmox,vsphere",
			hybridcore.Request{
				Action: hybridcore.ActionBuild, Env: "prod", Images: []string{"ubuntu-24.04"},
				Platforms: []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere},
			},
		},
		{
			"build --os debian-12 --force --parallel=2",
			hybridcore.Request{Action: hybridcore.ActionBuild, Images: []string{"debian-12"}, Rebuild: true, Parallel: 2},
		},
		{
			"build --targets proxmox,proxmox,proxmox a a",
			hybridcore.Request{
				Action: hybridcore.ActionBuild, Images: []string{"a"},
				Platforms: []hybridcore.Platform{hybridcore.Proxmox},
			},
		},
		{
			"  plan   --detailed-exitcode ",
			hybridcore.Request{Action: hybridcore.ActionPlan, Listing: hybridcore.Listing{DetailedExitCode: true}},
		},
		{"status", hybridcore.Request{Action: hybridcore.ActionStatus}},
		{
			"build a --targets azure --part " + strings.Repeat("0f", 32) + " --commit " + strings.Repeat("ab", 20),
			hybridcore.Request{
				Action: hybridcore.ActionBuild, Images: []string{"a"}, Platforms: []hybridcore.Platform{hybridcore.Azure},
				Pin: hybridcore.Pin{Heads: []string{strings.Repeat("ab", 20)}, Part: strings.Repeat("0f", 32)},
			},
		},
		{
			"collect parts more/parts --image a",
			hybridcore.Request{Action: hybridcore.ActionCollect, Images: []string{"a"}, From: []string{"parts", "more/parts"}},
		},
	}
	for _, tt := range tests {
		got, err := Parse(tt.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.text, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "no command"},
		{"shell", "build --env prod; id", "is not a name"},
		{"substitution", "build --os $(touch x)", "is not a name"},
		{"and", "build --os a&&id", "is not a name"},
		{"traversal", "build --env ../../etc", "is not a name"},
		{"dots", "build a..b", "is not a name"},
		{"pass-through", "build -- -var-file=/etc/passwd", `unexpected "--"`},
		{"unknown flag", "build -var=x", "unknown shorthand"},
		{"quote", `build --os "x`, "quote"},
		{"second line", "build a\nbuild b", "line break"},
		{"long", "build " + strings.Repeat("a", 64<<10), "at most 1000"},
		{"Slack user", "build <@U123|admin>", "is not a name"},
		{"Slack link", "build --env <http://x|prod>", "is not a name"},
		{"platform", "build --targets vspere", `did you mean "vsphere"`},
		{"verb", "biuld a", `did you mean "build"`},
		{"parallel", "build --parallel 100", "from 1 to 64"},
		{"upper case", "build Debian-12", "is not a name"},
		{"zero width", "build debian\u200b-12", "is not a name"},
		{"help", "build --help", "--targets"},
		{"part of many", "build a --part " + strings.Repeat("0f", 32), "one image and one platform"},
		{"part of nothing", "build a --targets azure --part x", "is not the digest of a target"},
		{"a branch as commit", "build a --commit main", "is not the full object ID"},
		{"nothing to collect", "collect --image a", "name the folders"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want it to contain %q", err, tt.want)
			}
			if hybridcore.ExitCode(err) != hybridcore.ExitUsage {
				t.Errorf("exit code %d", hybridcore.ExitCode(err))
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"build a --env b", "plan --targets vsphere", "build -- x", "status --image=,,",
		"build --parallel -1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			return
		}
		for _, name := range append(r.Images, r.Env) {
			if name != "" && hybridcore.CheckName("x", name) != nil {
				t.Errorf("Parse(%q) let %q through", text, name)
			}
		}
	})
}
