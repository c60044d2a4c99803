// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:02:00Z
// Spec: openspec/specs/runner/spec.md#requirement-execute-each-target-on-its-own
// Diagram: openspec/specs/runner/diagram.md#stages

package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// testThree builds one image for all platforms at once and compares what came
// out: the same content, and a report that does not pass a stand-in off as real.
func testThree(t *testing.T, b *bed) {
	t.Helper()
	code, validated := b.run(t, "validate", "debian-12", "--with", "packer")
	if code != 0 {
		t.Fatalf("validate: exit %d\n%s", code, validated)
	}
	code, first := b.run(t, "build", "debian-12")
	if code != 0 {
		t.Fatalf("build: exit %d\n%s", code, first)
	}
	rec := b.record(t)
	if len(rec.Results) != 3 || len(rec.Parity) != 1 || len(rec.Parity[0].Manifests) != 3 {
		t.Fatalf("the record has %d results and the comparisons %+v", len(rec.Results), rec.Parity)
	}
	for i, res := range rec.Results {
		want(t, validated, res.Target+"  validated")
		want(t, first, res.Target+"  built")
		if res.Artifact == nil || len(res.Artifact.URIs) == 0 || res.Inventory == nil || res.Inventory.Packages < 100 {
			t.Errorf("%s: artifact %+v, inventory %+v", res.Target, res.Artifact, res.Inventory)
		}
		if last := rec.Results[(i+1)%3]; res.Started.Add(res.Duration).Before(last.Started) {
			t.Errorf("%s had ended before %s started", res.Target, last.Target)
		}
		manifest := rec.Parity[0].Manifests[i]
		want(t, first, string(manifest.Platform)+strings.Repeat(" ", 9-len(manifest.Platform))+manifest.SHA256)
		if manifest.SHA256 != rec.Parity[0].Manifests[0].SHA256 {
			t.Errorf("the content differs: %+v", rec.Parity[0].Manifests)
		}
		b.named(t, res, first)
	}
	want(t, first, "vm-template", "content-library-item", "managed-image", "ok=",
		"identical in what is compared, but for", "compared: packages, all of /etc", "record  ")
	code, again := b.run(t, "build", "debian-12")
	if code != 0 {
		t.Errorf("second build: exit %d", code)
	}
	for _, res := range rec.Results {
		want(t, again, res.Target+"  unchanged", "inputs equal run "+rec.RunID)
		b.named(t, res, again)
	}
	b.tampered(t, rec)
	b.goneFromPlatforms(t, rec)
	b.nothingOn(t)
	b.noSecret(t, validated+first+again)
}

// named checks that a report, the state and the record name the stand-ins that
// a target was built with.
func (b *bed) named(t *testing.T, res hybridcore.Result, report string) {
	t.Helper()
	_, status := b.run(t, "status")
	for _, standIn := range hybridcore.StandIns(res.Inputs) {
		want(t, report, "stand-in  ", standIn)
		want(t, status, "stand-in: lab/"+res.Target+" was built with "+standIn)
		if !slices.Contains(res.Notes, "stand-in: "+standIn) {
			t.Errorf("%s: the record's notes %q do not name %s", res.Target, res.Notes, standIn)
		}
	}
}

// testOneFails has Azure refuse the build's resource group: the other platform
// goes on, and a retry builds what failed and nothing else.
func testOneFails(t *testing.T, b *bed) {
	t.Helper()
	rule, err := fault.ParseRule(`PUT /subscriptions/*/resourceGroups/* status=403 reason="no quota here"`)
	if err != nil {
		t.Fatal(err)
	}
	faults := b.lab.Azure().Faults()
	faults.Add(rule)
	defer faults.Clear()
	code, out := b.run(t, "build", "ubuntu-24.04", "--platforms", "vsphere,azure")
	if code != hybridcore.ExitFailed {
		t.Errorf("exit %d, want 1\n%s", code, out)
	}
	want(t, out, "ubuntu-24.04@vsphere  built", "ubuntu-24.04@azure    failed", "no quota here")
	failed := b.record(t)
	if failed.Status != hybridcore.Failed {
		t.Errorf("the record says %s", failed.Status)
	}
	faults.Clear()
	code, out = b.run(t, "build", "--retry-failed", failed.RunID)
	if code != hybridcore.ExitOK {
		t.Errorf("retry: exit %d\n%s", code, out)
	}
	retried := b.record(t)
	if len(retried.Results) != 1 || retried.Results[0].Target != "ubuntu-24.04@azure" ||
		retried.Results[0].Status != hybridcore.Built {
		t.Errorf("the retry's results: %+v", retried.Results)
	}
	b.named(t, retried.Results[0], out)
	code, out = b.run(t, "parity", "ubuntu-24.04")
	if code != hybridcore.ExitOK {
		t.Errorf("parity: exit %d", code)
	}
	want(t, out, "run "+failed.RunID, "run "+retried.RunID, "identical in what is compared, but for",
		"the guest of ubuntu-24.04@azure is a stand-in of the lab: it holds debian 12, not ubuntu 24.04")
	if standIns := hybridcore.StandIns(retried.Results[0].Inputs); !slices.Contains(standIns,
		"a guest of debian 12+lab, of the lab, not ubuntu-24.04") {
		t.Errorf("stand-ins of an Ubuntu in the lab: %q", standIns)
	}
	code, out = b.run(t, "build", "--retry-failed", retried.RunID)
	if code != hybridcore.ExitUsage {
		t.Errorf("nothing to retry: exit %d", code)
	}
	want(t, out, "there is nothing to retry")
	b.nothingOn(t)
}

// goneFromPlatforms deletes what was built for one platform, and has another one refuse to answer:
// the first is built again, and nothing is said of the other.
func (b *bed) goneFromPlatforms(t *testing.T, built hybridcore.Record) {
	t.Helper()
	for _, vm := range b.lab.Proxmox().VMs() {
		if strings.HasSuffix(vm.Name, built.RunID) {
			b.deleteVM(t, vm.ID)
		}
	}
	code, out := b.run(t, "status")
	if code != 0 {
		t.Errorf("status: exit %d", code)
	}
	want(t, out, "not looked at: whether the platforms still have them")
	code, out = b.run(t, "status", "--live")
	if code != 0 {
		t.Errorf("status --live: exit %d", code)
	}
	name := "debian-12-" + built.RunID
	want(t, out, "gone: lab/debian-12@proxmox: vm-template "+name+" (", "is gone from Proxmox VE", "looked at: 2 of 3")
	rule, err := fault.ParseRule(`GET /subscriptions/** status=403 reason="AuthorizationFailed"`)
	if err != nil {
		t.Fatal(err)
	}
	b.lab.Azure().Faults().Add(rule)
	code, out = b.run(t, "plan", "debian-12", "--live")
	if code != hybridcore.ExitFailed {
		t.Errorf("plan --live: exit %d\n%s", code, out)
	}
	want(t, out, "debian-12@azure was not looked at, because", "AuthorizationFailed", "gone from Proxmox VE",
		"1 to build, 2 unchanged")
	code, out = b.run(t, "build", "debian-12")
	b.lab.Azure().Faults().Clear()
	if code != hybridcore.ExitFailed {
		t.Errorf("build: exit %d\n%s", code, out)
	}
	want(t, out, "debian-12@proxmox  built", "debian-12@vsphere  unchanged", "debian-12@azure    failed",
		"not looked at, because", "nothing is built")
	code, out = b.run(t, "build", "debian-12")
	if code != 0 {
		t.Errorf("when Azure answers again: exit %d\n%s", code, out)
	}
	want(t, out, "debian-12@proxmox  unchanged", "debian-12@azure    unchanged")
}
