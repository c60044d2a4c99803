// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:30:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-marks-of-a-release
// Diagram: openspec/specs/platforms/diagram.md#mark

package vsphere

import (
	"testing"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// markBed is a simulated vCenter with a template and a library item that have somebody's notes.
func markBed(t *testing.T) *platformtest.MarkBed {
	t.Helper()
	settings := platformtest.With(vcenter(t), "vsphere_datastore", "LocalDS_0")
	v := newCenter(t, settings)
	m := v.machine("", released, theirs)
	if err := m.MarkAsTemplate(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := v.addItem(released, theirs, true)
	faults := &fault.Injector{}
	c := open(t, platformtest.With(settings, "vsphere_endpoint", faulty(t, settings["vsphere_endpoint"], faults)))
	read := func(i int) string {
		if i == 0 {
			var known mo.VirtualMachine
			if err := m.Properties(t.Context(), m.Reference(), []string{"config.annotation"}, &known); err != nil {
				return "gone"
			}
			return known.Config.Annotation
		}
		item, err := v.items.GetLibraryItem(t.Context(), id)
		if err != nil {
			return "gone"
		}
		return *item.Description
	}
	return &platformtest.MarkBed{
		T:      t,
		Client: c,
		Faults: faults,
		Read:   read,
		Writes: []string{"* /sdk/ReconfigVM_Task", "PATCH /**"},
		Blind:  libraryItem,
		URIs: []hybridcore.URI{
			{Kind: platform.VMTemplate, Name: released, ID: m.Reference().Value},
			{Kind: libraryItem, Name: released, ID: id},
		},
		Edit: func(i int) {
			notes := read(i) + "\nedited by hand"
			if i == 0 {
				v.must(m.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{Annotation: notes}))
			} else if err := v.items.UpdateLibraryItem(t.Context(), &library.Item{ID: id, Description: &notes}); err != nil {
				t.Error(err)
			}
		},
		Remove: func() {
			v.must(object.NewVirtualMachine(v.direct.soap.Client, m.Reference()).Destroy(t.Context()))
			if err := v.items.DeleteLibraryItem(t.Context(), &library.Item{ID: id}); err != nil {
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
