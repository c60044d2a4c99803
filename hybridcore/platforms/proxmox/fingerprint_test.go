// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:28:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package proxmox

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
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
			{What: "serial number written", Make: func() {
				all, _, err := c.configuration(t.Context(), at)
				if err != nil {
					t.Fatal(err)
				}
				set("smbios1", asText(all["smbios1"])+",serial=1234")()
			}, Told: "smbios1"},
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

// TestWhereItLies checks that a move of a machine's volumes changes none of its facts, and that
// other volumes do.
func TestWhereItLies(t *testing.T) {
	t.Parallel()
	was := map[string]any{
		"scsi0": "local-lvm:base-101-disk-0,discard=on,size=8G", "efidisk0": "local-lvm:base-101-disk-1,efitype=4m,size=4M",
		"ide2": "local:iso/a.iso,media=cdrom,size=4K", "smbios1": "uuid=A-B,base64=1,serial=MQ==",
	}
	for what, of := range map[string]struct {
		set  map[string]any
		told string
	}{
		"other storage":     {map[string]any{"scsi0": "ceph:base-101-disk-7,size=8G,discard=on"}, ""},
		"files":             {map[string]any{"scsi0": "nas:101/base-101-disk-0.qcow2,discard=on,size=8G,format=qcow2"}, ""},
		"off its base":      {map[string]any{"scsi0": "ceph:base-100-disk-0/vm-101-disk-0,discard=on,size=8G"}, ""},
		"the old one stays": {map[string]any{"unused0": "local-lvm:base-101-disk-0"}, ""},
		"firmware's disk":   {map[string]any{"efidisk0": "nas:101/base-101-disk-1.raw,efitype=4m,size=528K"}, ""},
		"CDs":               {map[string]any{"ide2": "nas:iso/a.iso,media=cdrom,size=5K"}, ""},
		"order":             {map[string]any{"smbios1": "serial=MQ==,base64=1,uuid=a-b"}, ""},
		"another machine's": {map[string]any{"scsi0": "local-lvm:base-999-disk-0,discard=on,size=8G"}, "disk scsi0"},
		"smaller":           {map[string]any{"scsi0": "ceph:base-101-disk-0,discard=on,size=2G"}, "disk scsi0"},
		"another CD":        {map[string]any{"ide2": "local:iso/b.iso,media=cdrom"}, "cd ide2"},
		"a device":          {map[string]any{"scsi0": "/dev/disk/by-id/a:b,discard=on,size=8G"}, "disk scsi0"},
		"another vendor":    {map[string]any{"smbios1": "uuid=a-b,base64=1,serial=Mg=="}, "smbios1"},
		"another identity":  {map[string]any{"smbios1": "uuid=a-c,base64=1,serial=MQ=="}, "replaced"},
	} {
		before, err := facts(was)
		now := maps.Clone(was)
		maps.Copy(now, of.set)
		after, err2 := facts(now)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		var told []string
		f := hybridcore.Fingerprint{Facts: before}
		if f.Replaced(after) {
			told = append(told, "replaced")
		}
		for _, c := range f.Changes(after) {
			told = append(told, c.Name)
		}
		if got := strings.Join(told, ", "); got != of.told {
			t.Errorf("%s: %q, want %q: %v", what, got, of.told, after)
		}
	}
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
