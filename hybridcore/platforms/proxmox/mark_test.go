// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:30:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-marks-of-a-release
// Diagram: openspec/specs/platforms/diagram.md#mark

package proxmox

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
	lab "github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// markBed is a simulated node with a template that has somebody's notes.
func markBed(t *testing.T) *platformtest.MarkBed {
	t.Helper()
	server, settings := node(t)
	c := open(t, settings)
	plant(t, server, 300, released, "template", "1", "description", theirs, "tags", "packer-hybrid;Zoe")
	at := machine{Node: lab.NodeName, VMID: 300}
	read := func(int) string {
		for _, v := range server.VMs() {
			if v.ID == 300 {
				return v.Settings["description"] + "\ntags " + v.Settings["tags"]
			}
		}
		return "gone"
	}
	return &platformtest.MarkBed{
		T:      t,
		Client: c,
		Faults: server.Faults(),
		URIs:   []hybridcore.URI{{Kind: platform.VMTemplate, Name: released, ID: at.id()}},
		Read:   read,
		Writes: []string{"POST /nodes/*/qemu/*/config"},
		Edit: func(int) {
			form := url.Values{"description": {strings.SplitN(read(0), "\ntags ", 2)[0] + "\nedited by hand"}}
			if err := c.call(t.Context(), http.MethodPost, at.path("config"), form, nil); err != nil {
				t.Error(err)
			}
		},
		Remove: func() {
			if err := c.work(t.Context(), http.MethodDelete, at.path(), nil); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// TestConformanceMark holds the client to how every platform marks.
func TestConformanceMark(t *testing.T) {
	t.Parallel()
	platformtest.Mark(t, markBed)
}
