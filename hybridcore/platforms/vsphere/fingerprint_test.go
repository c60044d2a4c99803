// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:36:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package vsphere

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// rebuilt is a template of a build, and what may be done to it.
type rebuilt struct {
	*center
	*object.VirtualMachine
}

// build makes a template with a disk and a card.
func (v *center) build(folder string) rebuilt {
	v.Helper()
	list := v.disk("golden/" + folder + "x.vmdk")
	v.file("golden/" + folder + "x.vmdk")
	card, err := object.EthernetCardTypes().CreateEthernetCard("vmxnet3", &types.VirtualEthernetCardNetworkBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: "VM Network"},
	})
	if err != nil {
		v.Fatal(err)
	}
	card.GetVirtualDevice().UnitNumber = new(int32(7)) // of the first card
	m := rebuilt{v, v.machine(folder, released, notes, append(list, card)...)}
	m.edit(types.VirtualMachineConfigSpec{NumCPUs: 2, MemoryMB: 2048, Firmware: "efi"})
	if err := m.MarkAsTemplate(v.Context()); err != nil {
		v.Fatal(err)
	}
	return m
}

func (m rebuilt) edit(spec types.VirtualMachineConfigSpec) {
	m.Helper()
	m.must(m.Reconfigure(m.Context(), spec))
}

// plain makes a machine of the template while something is done: vCenter changes no hardware of a template.
func (m rebuilt) plain(do func()) {
	m.Helper()
	if err := m.MarkAsVirtualMachine(m.Context(), *m.pool, nil); err != nil {
		m.Fatal(err)
	}
	do()
	if err := m.MarkAsTemplate(m.Context()); err != nil {
		m.Fatal(err)
	}
}

// hardware is an edit of hardware.
func (m rebuilt) hardware(spec types.VirtualMachineConfigSpec) func() {
	return func() { m.plain(func() { m.edit(spec) }) }
}

// device changes the first device of a type.
func (m rebuilt) device(
	of types.BaseVirtualDevice, change func(types.BaseVirtualDevice) types.BaseVirtualDeviceConfigSpec,
) func() {
	return func() {
		m.Helper()
		m.plain(func() {
			list, err := m.Device(m.Context())
			if err != nil || len(list.SelectByType(of)) == 0 {
				m.Fatal(list, err)
			}
			m.edit(types.VirtualMachineConfigSpec{DeviceChange: []types.BaseVirtualDeviceConfigSpec{
				change(list.SelectByType(of)[0]),
			}})
		})
	}
}

func removed(device types.BaseVirtualDevice) types.BaseVirtualDeviceConfigSpec {
	return &types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationRemove, Device: device}
}

func edited(device types.BaseVirtualDevice) types.BaseVirtualDeviceConfigSpec {
	return &types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationEdit, Device: device}
}

// refill gives an item another file.
func (v *center) refill(item string) {
	v.Helper()
	session, err := v.items.CreateLibraryItemUpdateSession(v.Context(), library.Session{LibraryItemID: item})
	if err != nil {
		v.Fatal(err)
	}
	file, err := v.items.AddLibraryItemFile(v.Context(), session, library.UpdateFile{Name: "x.ovf", SourceType: "PUSH"})
	if err != nil {
		v.Fatal(err)
	}
	address, err := url.Parse(file.UploadEndpoint.URI)
	if err == nil {
		err = v.direct.rest.Upload(v.Context(), strings.NewReader("disk"), address,
			&soap.Upload{Method: http.MethodPut, ContentLength: 4})
	}
	if err == nil {
		err = v.items.CompleteLibraryItemUpdateSession(v.Context(), session)
	}
	if err != nil {
		v.Fatal(err)
	}
}

func fingerprintBed(t *testing.T) *platformtest.FingerprintBed {
	t.Helper()
	settings := platformtest.With(vcenter(t), "vsphere_datastore", "LocalDS_0")
	v := newCenter(t, settings)
	m := v.build("golden")
	item := v.addItem(released, notes, true)
	faults := &fault.Injector{}
	c := open(t, platformtest.With(settings, "vsphere_endpoint", faulty(t, settings["vsphere_endpoint"], faults)))
	describe := func(update library.Item) func() {
		return func() {
			update.ID = item
			if err := v.items.UpdateLibraryItem(t.Context(), &update); err != nil {
				t.Fatal(err)
			}
		}
	}
	removeItem := func() {
		if err := v.items.DeleteLibraryItem(t.Context(), &library.Item{ID: item}); err != nil {
			t.Fatal(err)
		}
	}
	remove := func() { v.must(m.Destroy(t.Context())) }
	return &platformtest.FingerprintBed{
		T: t, Client: c, Faults: faults, All: "* /sdk/RetrievePropertiesEx", One: "* /**/item/*",
		URIs: []hybridcore.URI{
			{Kind: platform.VMTemplate, Name: released, ID: m.Reference().Value},
			{Kind: libraryItem, Name: released, ID: item},
		},
		Facts: []string{"processors", "memory", "firmware", "guest system", "hardware version", "mark", "identity"},
		Changes: []platformtest.Change{
			{What: "memory", Make: m.hardware(types.VirtualMachineConfigSpec{MemoryMB: 512}), Told: "memory"},
			{What: "processors", Make: m.hardware(types.VirtualMachineConfigSpec{NumCPUs: 1}), Told: "processors"},
			{What: "cores", Make: m.hardware(types.VirtualMachineConfigSpec{NumCoresPerSocket: 2}), Told: "cores of a socket"},
			{What: "firmware", Make: m.hardware(types.VirtualMachineConfigSpec{Firmware: "bios"}), Told: "firmware"},
			{
				What: "guest system", Make: m.hardware(types.VirtualMachineConfigSpec{GuestId: "debian12_64Guest"}),
				Told: "guest system",
			},
			{What: "disk grown", Make: m.device((*types.VirtualDisk)(nil),
				func(d types.BaseVirtualDevice) types.BaseVirtualDeviceConfigSpec {
					disk, _ := d.(*types.VirtualDisk)
					disk.CapacityInKB, disk.CapacityInBytes = 20<<20, 20<<30
					return edited(disk)
				}), Told: "disk disk-202-0"},
			{What: "disk taken away", Make: m.device((*types.VirtualDisk)(nil), removed), Told: "disk disk-202-0"},
			{What: "card taken away", Make: m.device((*types.VirtualVmxnet3)(nil), removed), Told: "network ethernet-0"},
			{What: "other network", Make: m.device((*types.VirtualVmxnet3)(nil),
				func(d types.BaseVirtualDevice) types.BaseVirtualDeviceConfigSpec {
					backing, _ := d.GetVirtualDevice().Backing.(*types.VirtualEthernetCardNetworkBackingInfo)
					backing.DeviceName, backing.Network = "DC0_DVPG0", nil
					return edited(d)
				}), Told: "network ethernet-0"},
			{What: "secure boot", Make: m.hardware(types.VirtualMachineConfigSpec{
				BootOptions: &types.VirtualMachineBootOptions{EfiSecureBootEnabled: new(true)},
			}), Told: "secure boot"},
			{What: "renamed", Make: func() { v.must(m.Rename(t.Context(), "other")) }, Told: "name"},
			{What: "no template any more", Make: func() {
				if err := m.MarkAsVirtualMachine(t.Context(), *v.pool, nil); err != nil {
					t.Fatal(err)
				}
			}, Told: "kind"},
			{What: "notes written over", Make: func() {
				m.edit(types.VirtualMachineConfigSpec{Annotation: "mine"})
			}, Told: "mark"},
			{What: "notes added", Make: func() {
				m.edit(types.VirtualMachineConfigSpec{Annotation: notes + "\nmine"})
			}, Told: ""},
			{What: "deleted", Make: remove, Told: "gone"},
			{What: "made again", Make: func() { remove(); v.build("golden") }, Told: "gone, twin"},
			{What: "copied", Make: func() { v.build("mine") }, Told: "twin"},
			{What: "item renamed", Of: 1, Make: describe(library.Item{Name: "other"}), Told: "name"},
			{What: "description written over", Of: 1, Make: describe(library.Item{Description: new("mine")}), Told: "mark"},
			{What: "item with other files", Of: 1, Make: func() { v.refill(item) }, Told: "content version"},
			{What: "item deleted", Of: 1, Make: removeItem, Told: "gone"},
			{What: "item made again", Of: 1, Make: func() {
				removeItem()
				v.addItem(released, notes, true)
			}, Told: "gone, twin"},
		},
	}
}

// TestConformanceFingerprint holds the client to what every platform sees.
func TestConformanceFingerprint(t *testing.T) {
	t.Parallel()
	platformtest.Fingerprint(t, fingerprintBed)
}

// TestNeverGone checks that no strange answer makes a template or an item gone.
func TestNeverGone(t *testing.T) {
	t.Parallel()
	settings := vcenter(t)
	v := newCenter(t, settings)
	m := v.build("golden")
	of := []hybridcore.URI{
		{Kind: platform.VMTemplate, Name: released, ID: m.Reference().Value},
		{Kind: libraryItem, Name: released, ID: v.addItem(released, notes, true)},
	}
	empty := regexp.MustCompile(`<returnval>.*</returnval>`)
	for n := range 24 {
		for what, spoil := range map[string]func([]byte) []byte{
			"nothing": func([]byte) []byte { return nil },
			"null":    func([]byte) []byte { return []byte(`{"value":null}`) },
			"an item": func([]byte) []byte { return []byte(`{"value":{"id":"other"}}`) },
			"list":    func([]byte) []byte { return []byte(`{"value":[null]}`) },
			"half":    func(body []byte) []byte { return body[:len(body)/2] },
			"empty":   func(body []byte) []byte { return empty.ReplaceAll(body, nil) },
		} {
			at := platformtest.With(settings, "vsphere_endpoint", spoiled(t, settings["vsphere_endpoint"], n, spoil))
			c, err := platform.Contained(func() (platform.Client, error) { return Open(t.Context(), at, platform.Anywhere) })
			if err != nil {
				continue
			}
			seen, err := c.Fingerprint(t.Context(), of)
			for i, one := range seen {
				if err == nil && one.Unseen == "" && one.Now != of[i] {
					t.Errorf("answer %d, %s: %+v", n, what, one)
				}
			}
		}
	}
}

// TestMedium says what lies in a drive, and not on which datastore.
func TestMedium(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"[datastore1] iso/x.iso": "iso/x.iso", "[other] iso/x.iso": "iso/x.iso", "[a] b] c.iso": "b] c.iso",
		"/vmimages/tools/linux.iso": "/vmimages/tools/linux.iso", "[]": "[]", "": "",
	} {
		backing := &types.VirtualCdromIsoBackingInfo{
			VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: file},
		}
		if got := medium(backing); got != want {
			t.Errorf("%q: %q, want %q", file, got, want)
		}
	}
	if got := medium(&types.VirtualCdromAtapiBackingInfo{}); got != "empty" {
		t.Error(got)
	}
}
