// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:34:51Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-life-of-a-virtual-machine
// Diagram: openspec/specs/lab-proxmox/diagram.md#life-of-a-machine

package proxmox_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// newVM is a form that creates a machine.
func newVM(id, name string) map[string]string {
	return map[string]string{
		"vmid": id, "name": name, "cores": "2", "agent": "1", "tags": "lab;golden", "description": "a build",
		"scsi0": "local-lvm:8,format=raw,iothread=1", "efidisk0": "local-lvm:1,efitype=4m",
		"ide0": "local:iso/a.iso,media=cdrom",
		"net0": "virtio=5E:1F:70:D1:23:B6,bridge=vmbr0",
	}
}

// ok makes calls whose tasks have to succeed.
func (n *node) ok(t *testing.T, method, path string, form map[string]string) {
	t.Helper()
	if exit := n.task(t, method, path, form); exit != "OK" {
		t.Fatalf("%s %s: task ended with %q", method, path, exit)
	}
}

// refused makes a call that has to be refused.
func (n *node) refused(t *testing.T, method, path string, form map[string]string, reason string) {
	t.Helper()
	if r := n.call(t, method, path, form); r.status == http.StatusOK || r.reason != reason {
		t.Errorf("%s %s: %d %q %v, want %q", method, path, r.status, r.reason, r.body, reason)
	}
}

func TestFromISOToTemplate(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.put(t, "a.iso")
	n.ok(t, "POST", "/nodes/pve1/qemu", newVM("100", "one"))
	n.ok(t, "POST", "/nodes/pve1/qemu/100/status/start", nil)
	n.refused(t, "POST", "/nodes/pve1/qemu/100/status/start", nil, "VM 100 already running")
	n.refused(t, "DELETE", "/nodes/pve1/qemu/100", nil, "VM 100 is running - destroy failed")
	n.refused(t, "POST", "/nodes/pve1/qemu/100/template", nil, "you can't convert a VM to template if VM is running")
	n.ok(t, "POST", "/nodes/pve1/qemu/100/status/shutdown", nil)
	n.ok(t, "POST", "/nodes/pve1/qemu/100/status/stop", nil) // the plugin stops what is off, too
	n.ok(t, "POST", "/nodes/pve1/qemu/100/template", nil)
	n.ok(t, "POST", "/nodes/pve1/qemu/100/config",
		map[string]string{"name": "golden", "delete": "ide0", "ide1": "local-lvm:cloudinit"})
	want := []proxmox.VM{{
		ID: 100, Ref: "qemu-100-1", Name: "golden", Description: "a build", Tags: []string{"lab", "golden"}, Template: true,
		Reported: "198.18.0.1",
		Settings: map[string]string{
			"name": "golden", "cores": "2", "agent": "1", "tags": "lab;golden", "description": "a build", "template": "1",
			"efidisk0": "local-lvm:base-100-disk-0,efitype=4m,size=4M", "scsi0": "local-lvm:base-100-disk-1,iothread=1,size=8G",
			"ide1": "local-lvm:vm-100-cloudinit,media=cdrom,size=4M", "net0": "virtio=5E:1F:70:D1:23:B6,bridge=vmbr0",
		},
	}}
	want[0].Settings["smbios1"] = identity(t, n.vm(t, 100))
	if diff := cmp.Diff(want, n.server.VMs()); diff != "" {
		t.Errorf("machines (-want +got):\n%s", diff)
	}
	n.refused(t, "POST", "/nodes/pve1/qemu/100/status/start", nil, "you can't start a vm if it's a template")
	n.refused(t, "POST", "/nodes/pve1/qemu/100/template", nil, "you can't convert a template to a template")
}

// identity is by what a guest knows its machine.
func identity(t *testing.T, v proxmox.VM) string {
	t.Helper()
	id := v.Settings["smbios1"]
	if !regexp.MustCompile(`^uuid=[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("machine %d has the identity %q", v.ID, id)
	}
	return id
}

func TestClones(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	if err := n.server.Plant(9000, map[string]string{
		"name": "base", "template": "1", "tags": "theirs", "scsi0": "local-lvm:base-9000-disk-0,size=8G",
		"ide0": "local-lvm:vm-9000-cloudinit,media=cdrom",
	}); err != nil {
		t.Fatal(err)
	}
	const clone = "/nodes/pve1/qemu/9000/clone"
	n.refused(t, "POST", clone, map[string]string{"newid": "9000", "full": "1"},
		"unable to create VM 9000 - VM 9000 already exists on node 'pve1'")
	n.refused(t, "POST", clone, map[string]string{"newid": "7", "full": "1"}, "Parameter verification failed.")
	n.ok(t, "POST", clone, map[string]string{"newid": "100", "full": "1", "name": "full"})
	n.ok(t, "POST", clone, map[string]string{"newid": "101", "full": "0"})
	full, linked := n.vm(t, 100), n.vm(t, 101)
	wantFull := map[string]string{
		"name": "full", "tags": "theirs", "scsi0": "local-lvm:vm-100-disk-0,size=8G",
		"ide0": "local-lvm:vm-100-cloudinit,media=cdrom",
	}
	if wantFull["smbios1"] = identity(t, full); identity(t, linked) == wantFull["smbios1"] {
		t.Error("two clones have one identity")
	}
	if diff := cmp.Diff(wantFull, full.Settings); diff != "" {
		t.Errorf("full clone (-want +got):\n%s", diff)
	}
	if got := linked.Settings["scsi0"]; got != "local-lvm:base-9000-disk-0/vm-101-disk-0,size=8G" ||
		linked.Name != "Copy-of-VM-base" {
		t.Errorf("linked clone %q has the disk %q", linked.Name, got)
	}
	if diff := cmp.Diff([]string{"qemu-9000-1 qemu-100-2", "qemu-9000-1 qemu-101-3"}, n.hardware.clones); diff != "" {
		t.Errorf("hardware (-want +got):\n%s", diff)
	}
	n.refused(t, "DELETE", "/nodes/pve1/qemu/9000", nil,
		"base volume 'local-lvm:base-9000-disk-0' is still in use by linked cloned")
	n.ok(t, "DELETE", "/nodes/pve1/qemu/101", nil)
	n.ok(t, "DELETE", "/nodes/pve1/qemu/9000", nil)
	if diff := cmp.Diff([]int{100}, n.ids()); diff != "" {
		t.Errorf("machines (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"qemu-101-3", "qemu-9000-1"}, n.hardware.removed); diff != "" {
		t.Errorf("removed hardware (-want +got):\n%s", diff)
	}
}

func TestCloneUnderWay(t *testing.T) {
	t.Parallel()
	n := newNodeWith(t, time.Millisecond)
	if err := n.server.Plant(9000, map[string]string{"name": "base", "template": "1"}); err != nil {
		t.Fatal(err)
	}
	n.rules(t, "POST /nodes/*/qemu/*/clone task delay=300ms")
	if r := n.call(t, "POST", "/nodes/pve1/qemu/9000/clone",
		map[string]string{"newid": "100", "full": "1", "name": "new"}); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.reason)
	}
	list, _ := n.call(t, "GET", "/cluster/resources?type=vm", nil).body["data"].([]any)
	if first, _ := list[0].(map[string]any); first["name"] != "VM 100" || first["lock"] != "clone" {
		t.Errorf("under way: %v", first)
	}
	for deadline := time.Now().Add(time.Minute); n.vm(t, 100).Name != "new"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the clone is %+v", n.vm(t, 100))
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.put(t, "a.iso")
	n.ok(t, "POST", "/nodes/pve1/qemu", newVM("100", "one"))
	n.refused(t, "POST", "/nodes/pve1/qemu", newVM("100", "two"),
		"unable to create VM 100 - VM 100 already exists on node 'pve1'")
	if got := n.call(t, "GET", "/cluster/nextid", nil).body["data"]; got != "101" {
		t.Errorf("the next number is %#v, want the string 101", got)
	}
	n.refused(t, "GET", "/cluster/nextid?vmid=100", nil, "Parameter verification failed.")
	n.refused(t, "GET", "/nodes/pve1/qemu/555/config", nil,
		"Configuration file 'nodes/pve1/qemu-server/555.conf' does not exist")
	n.refused(t, "GET", "/nodes/pve9/qemu/100/config", nil,
		"hostname lookup 'pve9' failed - failed to get address info for: pve9: Name or service not known")
}

func TestSettings(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.put(t, "a.iso")
	n.ok(t, "POST", "/nodes/pve1/qemu", newVM("100", "one"))
	const config = "/nodes/pve1/qemu/100/config"
	for name, c := range map[string]struct{ setting, value, reason string }{
		"no such image":   {"ide1", "local:iso/b.iso,media=cdrom", "volume 'local:iso/b.iso' does not exist"},
		"no such storage": {"scsi1", "nfs:8", "storage 'nfs' does not exist"},
		"no disks there":  {"scsi1", "local:8", "storage 'local' does not support content-type 'images'"},
		"name":            {"name", "under_score", "Parameter verification failed."},
		"tag":             {"tags", "a b!", "Parameter verification failed."},
		"number":          {"cores", "two", "Parameter verification failed."},
		"not finite":      {"cores", "Inf", "Parameter verification failed."},
		"keys":            {"sshkeys", "%zz", "Parameter verification failed."},
		"setting":         {"Co res", "1", "Parameter verification failed."},
	} {
		t.Run(name, func(t *testing.T) {
			before := n.vm(t, 100).Settings
			n.refused(t, "PUT", config, map[string]string{"memory": "1", c.setting: c.value}, c.reason)
			if diff := cmp.Diff(before, n.vm(t, 100).Settings); diff != "" {
				t.Errorf("a refused change left something (-before +after):\n%s", diff)
			}
		})
	}
	if r := n.call(t, "PUT", config,
		map[string]string{"onboot": "1", "delete": "tags,ide0", "memory": "4096"}); r.status != http.StatusOK ||
		r.body["data"] != nil {
		t.Errorf("change: %d %s %v", r.status, r.reason, r.body)
	}
	data, _ := n.call(t, "GET", config, nil).body["data"].(map[string]any)
	for name, want := range map[string]any{"onboot": 1.0, "cores": 2.0, "memory": "4096", "tags": nil, "ide0": nil} {
		if data[name] != want {
			t.Errorf("%s is %#v, want %#v", name, data[name], want)
		}
	}
}

func TestResize(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.put(t, "a.iso")
	form := newVM("100", "one")
	form["scsi1"] = "local-lvm:0.001"
	n.ok(t, "POST", "/nodes/pve1/qemu", form)
	const path = "/nodes/pve1/qemu/100/resize"
	for _, c := range []struct{ disk, size, want, exit string }{
		{"scsi0", "+2G", "10G", "OK"},
		{"scsi0", "10752M", "10752M", "OK"},
		{"scsi0", "1T", "1T", "OK"},
		{"scsi0", "1G", "1T", "shrinking disks is not supported"},
		{"scsi1", "512000K", "500M", "OK"}, // how the plugin makes disks below 1 GiB
		{"scsi7", "1G", "", "disk 'scsi7' does not exist"},
		{"net0", "1G", "", "disk 'net0' does not exist"},
	} {
		if exit := n.task(t, "PUT", path, map[string]string{"disk": c.disk, "size": c.size}); exit != c.exit {
			t.Errorf("%s to %s: %q, want %q", c.disk, c.size, exit, c.exit)
		}
		if got := n.vm(t, 100).Settings[c.disk]; !strings.HasSuffix(got, ",size="+c.want) && c.want != "" {
			t.Errorf("%s to %s: %s, want size=%s", c.disk, c.size, got, c.want)
		}
	}
	n.refused(t, "PUT", path, map[string]string{"disk": "scsi0", "size": "big"}, "Parameter verification failed.")
}
