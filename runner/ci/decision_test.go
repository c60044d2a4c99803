// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:38:11Z
// Spec: openspec/specs/ci/spec.md#requirement-one-decision-for-all-jobs
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package ci_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/forge/forgetest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

type object = map[string]any

func TestDecisionIsStrict(t *testing.T) {
	t.Parallel()
	d, err := ci.ParseDecision(forgetest.Decision(nil))
	if err != nil {
		t.Fatal(err)
	}
	text, err := d.Encode()
	if again, parsed := ci.ParseDecision(text); err != nil || parsed != nil || cmp.Diff(d, again) != "" ||
		strings.Contains(text, "\n") {
		t.Errorf("%v, %v: %s", err, parsed, text)
	}
	many := make([]string, 21)
	for i := range many {
		many[i] = "status --env prod"
	}
	for name, text := range map[string]string{
		"nothing":        "",
		"null":           "null",
		"a list":         "[" + forgetest.Decision(nil) + "]",
		"two":            forgetest.Decision(nil) + forgetest.Decision(nil),
		"another member": forgetest.Decision(object{"runs_on": "self-hosted"}),
		"a member twice": strings.Replace(forgetest.Decision(nil), "{", `{"env":"lab",`, 1),
		"another case":   strings.Replace(forgetest.Decision(nil), `"env"`, `"Env"`, 1),
		"invalid text":   strings.Replace(forgetest.Decision(nil), "merged into", "merged \xff", 1),
		"no run":         forgetest.Decision(object{"run": ""}),
		"a run's name":   forgetest.Decision(object{"run": "latest"}),
		"a branch":       forgetest.Decision(object{"sha": "main"}),
		"no commit":      forgetest.Decision(object{"sha": forgetest.Zero}),
		"a path":         forgetest.Decision(object{"env": "../lab"}),
		"no lines":       forgetest.Decision(object{"lines": []string{}}),
		"null lines":     forgetest.Decision(object{"lines": nil}),
		"many lines":     forgetest.Decision(object{"lines": many}),
		"no verb":        forgetest.Decision(object{"lines": []string{"rm -rf /"}}),
		"another env":    forgetest.Decision(object{"lines": []string{"build --env lab"}}),
		"no env":         forgetest.Decision(object{"lines": []string{"build"}}),
		"a part": forgetest.Decision(object{"lines": []string{"build a --env prod --targets vsphere --part " +
			strings.Repeat("0", 64)}}),
		"collect":          forgetest.Decision(object{"lines": []string{"collect parts --env prod"}}),
		"another commit":   forgetest.Decision(object{"lines": []string{"build --env prod --commit " + forgetest.Other}}),
		"another platform": forgetest.Decision(object{"lines": []string{"build --env prod --targets azure"}}),
		"another image": forgetest.Decision(object{
			"images": []string{"debian-12"},
			"lines":  []string{"build debian-13 --env prod"},
		}),
		"unmerged publish": forgetest.Decision(object{"merged": false}),
		"unmerged reap":    forgetest.Decision(object{"merged": false, "lines": []string{"reap --env prod"}}),
		"unknown platform": forgetest.Decision(object{"platforms": []string{"hyperv"}}),
		"platform twice":   forgetest.Decision(object{"platforms": []string{"vsphere", "vsphere"}}),
		"null platform":    forgetest.Decision(object{"platforms": []any{nil}}),
		"an image's path":  forgetest.Decision(object{"images": []string{"a/../b"}}),
		"a command":        forgetest.Decision(object{"actor": "x\n::add-mask::e"}),
		"a rule's command": forgetest.Decision(object{"rule": "x\n::add-mask::e"}),
		"a long rule":      forgetest.Decision(object{"rule": strings.Repeat("x", 5000)}),
		"a request's path": forgetest.Decision(object{"request": "../x"}),
		"very long":        forgetest.Decision(object{"actor": strings.Repeat("x", 100_000)}),
		"a number":         forgetest.Decision(object{"run": 99}),
	} {
		if d, err := ci.ParseDecision(text); hybridcore.ExitCode(err) != hybridcore.ExitBlocked || len(err.Error()) > 700 {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
}

func FuzzDecision(f *testing.F) {
	f.Add(forgetest.Decision(nil))
	f.Add(forgetest.Decision(object{"merged": false, "lines": []string{"build --env prod"}}))
	f.Add(`{"run":"1","lines":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ci.ParseDecision(text)
		if err != nil {
			if hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
				t.Errorf("%v", err)
			}
			return
		}
		requests, err := d.Requests()
		if err != nil || len(requests) == 0 || !hybridcore.IsObjectID(d.SHA) {
			t.Fatalf("%+v, %v", d, err)
		}
		for _, r := range requests {
			if r.Env != d.Env || r.Part != "" || !d.Merged &&
				(r.Action == hybridcore.ActionReap || r.Action == hybridcore.ActionPublish) {
				t.Errorf("%+v", r)
			}
		}
	})
}
