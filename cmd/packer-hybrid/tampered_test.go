// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:36:00Z
// Spec: openspec/specs/runner/spec.md#requirement-what-is-current-is-looked-at
// Diagram: openspec/specs/runner/diagram.md#a-look-at-the-platforms

package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	lab "github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// tampered cuts the memory of what was built for one platform and renames it: every verb that looks says both, and
// nothing is built on it or marked. When it is put right, all is well again.
func (b *bed) tampered(t *testing.T, built hybridcore.Record) {
	t.Helper()
	var template lab.VM
	for _, vm := range b.lab.Proxmox().VMs() {
		if strings.HasSuffix(vm.Name, built.RunID) {
			template = vm
		}
	}
	for _, res := range built.Results {
		for _, uri := range res.Artifact.URIs {
			if f := res.Artifact.Fingerprint(uri); f == nil || len(f.Facts) < 4 || f.Facts[hybridcore.FactMark] != built.RunID {
				t.Errorf("%s: the fingerprint of %s is %+v", res.Target, uri.Kind, f)
			}
		}
	}
	edit := func(name, memory string) {
		t.Helper()
		b.callProxmox(t, http.MethodPost, template.ID, "/config", url.Values{"name": {name}, "memory": {memory}})
	}
	memory := template.Settings["memory"]
	edit("mine", "512")
	cut, renamed := "memory: "+memory+" MiB → 512 MiB", "has another name now: mine"
	code, out := b.run(t, "plan", "debian-12", "--live")
	if code != hybridcore.ExitBlocked {
		t.Errorf("plan --live: exit %d\n%s", code, out)
	}
	want(t, out, cut, renamed)
	code, out = b.run(t, "status", "--live")
	if code != 0 {
		t.Errorf("status --live: exit %d\n%s", code, out)
	}
	want(t, out, "changed: lab/debian-12@proxmox:", cut, renamed, "looked at: 2 of 3")
	code, out = b.run(t, "drift", "debian-12", "--live")
	if code != hybridcore.ExitBlocked {
		t.Errorf("drift --live: exit %d\n%s", code, out)
	}
	want(t, out, "drift-edited lab/debian-12@proxmox", "drift-renamed lab/debian-12@proxmox", cut, renamed)
	code, out = b.run(t, "build", "debian-12")
	if code != hybridcore.ExitBlocked || b.record(t).RunID != built.RunID {
		t.Errorf("build: exit %d\n%s", code, out)
	}
	want(t, out, cut, renamed, "packer-hybrid build debian-12 --env lab --platforms proxmox --rebuild")
	code, out = b.run(t, "publish", "debian-12", "--release", "v1")
	if code != hybridcore.ExitFailed {
		t.Errorf("publish: exit %d\n%s", code, out)
	}
	want(t, out, cut, renamed, "debian-12@vsphere", "not released, because of debian-12@proxmox")
	for _, vm := range b.lab.Proxmox().VMs() {
		if strings.Contains(vm.Description, "packer-hybrid release") {
			t.Errorf("%s was marked", vm.Name)
		}
	}
	edit(template.Name, memory)
	if code, out = b.run(t, "plan", "debian-12", "--live"); code != 0 {
		t.Errorf("put right, plan --live: exit %d\n%s", code, out)
	}
	if _, out = b.run(t, "drift", "debian-12", "--live"); strings.Contains(out, "drift-edited") {
		t.Errorf("put right, drift --live:\n%s", out)
	}
	code, out = b.run(t, "publish", "debian-12", "--release", "v1")
	if code != 0 {
		t.Errorf("put right, publish: exit %d\n%s", code, out)
	}
	if code, out = b.run(t, "plan", "debian-12", "--live"); code != 0 {
		t.Errorf("published, plan --live: exit %d\n%s", code, out)
	}
}
