// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/leases/spec.md#requirement-marks-on-proxmox-ve
// Diagram: openspec/specs/leases/diagram.md#reap-on-proxmox-ve

package proxmox

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
	lab "github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// reapBed is a simulated node with what belongs to others.
func reapBed(t *testing.T) *platformtest.Bed {
	t.Helper()
	server, settings := node(t)
	c := open(t, settings)
	iso := func(name string) {
		t.Helper()
		if err := server.PutISO(name, "a CD"); err != nil {
			t.Fatal(err)
		}
	}
	put := func(id int, name string, pairs ...string) string {
		t.Helper()
		plant(t, server, id, name, pairs...)
		return "vm pve1/" + strconv.Itoa(id)
	}
	iso("debian.iso")
	iso("packer777.iso") // of nobody knows which build
	iso(mountedISO)
	put(208, "web", "sata1", "local:iso/"+mountedISO+",media=cdrom")
	loose := func() string {
		iso(looseISO)
		return "uploaded-cd local:iso/" + looseISO
	}
	tag := "ph-run-" + deadRun
	put(200, deadName+"-copy", "description", notes, "tags", tag)
	put(201, deadName[:len(deadName)-1], "description", notes, "tags", tag)
	put(202, strings.ToUpper(deadName), "description", notes, "tags", tag)
	put(203, "debian-12", "tags", tag+"0") // of a run whose ID only begins the same
	put(204, "ubuntu-24.04-"+deadRun, "tags", tag, "protection", "1")
	put(205, deadName, "description", notes, "tags", tag, "template", "1") // complete: the deletion of its CD failed
	put(206, "debian-12", "description", "run "+deadRun+", by hand", "tags", "x"+tag)
	put(207, "base", "template", "1", "scsi0", "local-lvm:base-207-disk-0,size=8G")
	powerOn(t, c, 200)
	powerOn(t, c, 204)
	return &platformtest.Bed{
		Client:  c,
		Faults:  server.Faults(),
		Prefix:  "/**",
		Effects: "* /nodes/**",
		Denied: "DELETE /** status=403 reason=\"Permission check failed (/vms/100, VM.Allocate)\"\n" +
			"POST /nodes/*/qemu/*/status/stop status=403 reason=\"Permission check failed\"",
		Hands: []string{
			"qm destroy 100 --purge",
			"qm destroy 101 --purge",
			"pvesm free 'local:iso/" + looseISO + "'",
			"Permission check failed",
		},
		Inventory: func() []string {
			var all []string
			for _, v := range server.VMs() {
				all = append(all, fmt.Sprintf("%d %s running=%v template=%v %v", v.ID, v.Name, v.Running, v.Template, v.Settings))
			}
			volumes, err := server.Volumes(lab.ISOStorage)
			if err != nil {
				t.Error(err)
			}
			return append(all, volumes...)
		},
		Orphans: []platformtest.Orphan{
			{Name: "killed during provisioning, and its retry", Leave: func() []string {
				iso(builtISO)
				left := put(
					100, deadName, "description", notes, "tags", "packer-hybrid;"+tag, "ide0", "local:iso/debian.iso,media=cdrom",
					"sata0", "local:iso/"+builtISO+",media=cdrom",
				)
				powerOn(t, c, 100)
				return []string{left, put(101, deadName, "description", "Packer ephemeral build VM", "tags", tag), loose()}
			}},
			{Name: "create outlived the plugin's patience", Leave: func() []string {
				return []string{put(100, deadName, "description", "Packer ephemeral build VM", "tags", "packer-hybrid;"+tag)}
			}},
			{Name: "CD without a machine", Leave: func() []string { return []string{loose()} }},
			{Name: "cloned, but not configured", Leave: func() []string {
				return []string{put(100, deadName, "description", "")}
			}},
			{Name: "clone under way", Leave: func() []string {
				rules(t, server, `POST /nodes/pve1/qemu/207/clone task delay=3s`)
				defer server.Faults().Clear()
				form := url.Values{"newid": {"100"}, "name": {deadName}, "full": {"1"}}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				from := machine{Node: lab.NodeName, VMID: 207}
				if err := c.call(ctx, http.MethodPost, from.path("clone"), form, nil); err != nil {
					t.Fatal(err)
				}
				return []string{"vm pve1/100"}
			}},
		},
	}
}

// TestConformanceReap holds the client to what every platform's reap does.
func TestConformanceReap(t *testing.T) {
	t.Parallel()
	platformtest.Reap(t, reapBed)
}

// TestProtected checks that a machine which somebody protected is left as it is.
func TestProtected(t *testing.T) {
	t.Parallel()
	server, settings := node(t)
	if err := server.PutISO(builtISO, "a CD"); err != nil {
		t.Fatal(err)
	}
	plant(t, server, 100, deadName, "description", notes, "protection", "1", "ide0", "local:iso/"+builtISO+",media=cdrom")
	plant(t, server, 101, deadName, "description", notes)
	c := open(t, settings)
	powerOn(t, c, 100)
	for _, dry := range []bool{true, false} {
		got, err := c.Reap(t.Context(), hybridcore.Remains{Name: deadName, RunID: deadRun}, dry)
		if err == nil || !strings.Contains(err.Error(), "protection is on") ||
			!strings.Contains(err.Error(), "qm set 100 --protection 0") {
			t.Errorf("dry %v: error %v", dry, err)
		}
		platformtest.Same(
			t, "listed or removed", []string{"vm pve1/101"}, platformtest.Lines(got),
		) // one does not hold up the others
	}
	volumes, err := server.Volumes(lab.ISOStorage)
	if v := server.VMs(); len(v) != 1 || !v[0].Running || len(volumes) != 1 || err != nil {
		t.Errorf("left are %+v and %v, %v", v, volumes, err)
	}
}
