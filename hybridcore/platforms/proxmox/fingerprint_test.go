// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:28:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package proxmox

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
	lab "github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// fingerprintBed is a simulated node with a template as a build leaves it.
func fingerprintBed(t *testing.T) *platformtest.FingerprintBed {
	t.Helper()
	server, settings := node(t)
	c := open(t, settings)
	if err := server.PutISO("other.iso", "a CD"); err != nil {
		t.Fatal(err)
	}
	at := machine{Node: lab.NodeName, VMID: 300}
	work := func(method string, path []string, pairs ...string) {
		t.Helper()
		form := url.Values{}
		for n := 0; n < len(pairs); n += 2 {
			form.Set(pairs[n], pairs[n+1])
		}
		if err := c.work(t.Context(), method, path, form); err != nil {
			t.Fatal(err)
		}
	}
	create := func(id string) {
		t.Helper()
		work(http.MethodPost, []string{"nodes", lab.NodeName, "qemu"}, "vmid", id, "name", released, "memory", "2048",
			"cores", "2", "sockets", "1", "cpu", "x86-64-v2-AES", "bios", "ovmf", "ostype", "l26",
			"scsihw", "virtio-scsi-single",
			"scsi0", "local-lvm:8,discard=on", "efidisk0", "local-lvm:1,efitype=4m", "net0", "virtio,bridge=vmbr0",
			"tags", "packer-hybrid;ph-run-x", "description", notes)
	}
	template := func(id string) {
		t.Helper()
		work(http.MethodPost, []string{"nodes", lab.NodeName, "qemu", id, "template"})
	}
	create("300")
	template("300")
	set := func(pairs ...string) func() {
		return func() { t.Helper(); work(http.MethodPost, at.path("config"), pairs...) }
	}
	remove := func() { t.Helper(); work(http.MethodDelete, at.path()) }
	return &platformtest.FingerprintBed{
		T: t, Client: c, Faults: server.Faults(), All: "GET /**", One: "GET /nodes/*/qemu/*/config",
		URIs: []hybridcore.URI{{Kind: platform.VMTemplate, Name: released, ID: at.id()}},
		Facts: []string{
			"memory", "cores", "sockets", "cpu", "firmware", "disk scsi0", "disk efidisk0", "network net0", "mark",
			"tag packer-hybrid", "identity",
		},
		Changes: []platformtest.Change{
			{What: "memory", Make: set("memory", "512"), Told: "memory"},
			{What: "cores", Make: set("cores", "1"), Told: "cores"},
			{What: "sockets", Make: set("sockets", "2"), Told: "sockets"},
			{What: "type of processor", Make: set("cpu", "host"), Told: "cpu"},
			{What: "firmware", Make: set("bios", "seabios"), Told: "firmware"},
			{What: "disk grown", Make: func() {
				work(http.MethodPut, at.path("resize"), "disk", "scsi0", "size", "+2G")
			}, Told: "disk scsi0"},
			{What: "disk added", Make: set("scsi1", "local-lvm:4"), Told: "disk scsi1"},
			{What: "disk taken away", Make: set("delete", "efidisk0"), Told: "disk efidisk0"},
			{What: "CD put in", Make: set("ide2", "local:iso/other.iso,media=cdrom"), Told: "cd ide2"},
			{What: "card taken away", Make: set("delete", "net0"), Told: "network net0"},
			{What: "other bridge", Make: set("net0", "virtio,bridge=vmbr9"), Told: "network net0"},
			{What: "other hardware address", Make: set("net0", "virtio=BC:24:11:00:00:01,bridge=vmbr0"), Told: ""},
			{What: "arguments", Make: set("args", "-cpu host"), Told: "args"},
			{What: "renamed", Make: set("name", "other"), Told: "name"},
			{What: "renamed, and another has its name", Make: func() {
				set("name", "other")()
				create("301")
			}, Told: "name, twin"},
			{What: "no template any more", Make: set("delete", "template"), Told: "kind"},
			{What: "notes written over", Make: set("description", "mine"), Told: "mark"},
			{What: "notes added", Make: set("description", notes+"\nmine"), Told: ""},
			{What: "tag added", Make: set("tags", "packer-hybrid;ph-run-x;mine"), Told: "tag mine"},
			{What: "tags removed", Make: set("tags", ""), Told: "tag packer-hybrid, tag ph-run-x"},
			{What: "deleted", Make: remove, Told: "gone"},
			{What: "made again with another number", Make: func() {
				remove()
				create("301")
				template("301")
			}, Told: "gone, twin"},
			{What: "made again with its number", Make: func() { remove(); create("300"); template("300") }, Told: "replaced"},
			{What: "copied", Make: func() { create("301") }, Told: "twin"},
		},
	}
}

// TestConformanceFingerprint holds the client to what every platform sees.
func TestConformanceFingerprint(t *testing.T) {
	t.Parallel()
	platformtest.Fingerprint(t, fingerprintBed)
}

// TestNeverGone checks that no strange answer makes a template gone.
func TestNeverGone(t *testing.T) {
	t.Parallel()
	platformtest.Plain{
		{`GET .*/access/permissions$`, `{"data":{"/":{"VM.Audit":1}}}`},
		{`GET .*/cluster/resources`, `{"data":[{"vmid":100,"type":"qemu","node":"pve1","template":1,"name":"x"}]}`},
		{`GET .*/qemu/100/config$`, `{"data":{"name":"x","template":1,"digest":"d"}}`},
	}.NeverGone(t, Open, nil, settingsAt, hybridcore.URI{Kind: platform.VMTemplate, Name: "x", ID: "pve1/100"})
}
