// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:06:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package vsphere

import (
	"strconv"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// machineFacts are what a machine is made of. Files of disks, datastores, addresses of cards and
// where it lies are not among them: vCenter moves machines by itself.
func machineFacts(m mo.VirtualMachine) (map[string]string, error) {
	f, has := platform.Facts{}, m.Config
	f.Set(hybridcore.FactIdentity, has.InstanceUuid)
	f.Notes(has.Annotation)
	f.Set("firmware", has.Firmware)
	f.Set("guest system", has.GuestId)
	f.Set("hardware version", has.Version)
	f.Number("processors", int64(has.Hardware.NumCPU), "")
	f.Number("cores of a socket", int64(has.Hardware.NumCoresPerSocket), "")
	f.Number("memory", int64(has.Hardware.MemoryMB), "MiB")
	if boot := has.BootOptions; boot != nil && boot.EfiSecureBootEnabled != nil {
		f.Set("secure boot", strconv.FormatBool(*boot.EfiSecureBootEnabled))
	}
	all := devices(m)
	for _, device := range all {
		name, kind := label(all, device), strings.TrimPrefix(all.TypeName(device), "Virtual")
		switch device := device.(type) {
		case *types.VirtualDisk:
			f.Set("disk "+name, disk(device))
		case types.BaseVirtualEthernetCard:
			f.Set("network "+name, kind+", "+network(device))
		case *types.VirtualCdrom:
			f.Set("cd "+name, medium(device.Backing))
		case *types.VirtualFloppy:
			f.Set("floppy "+name, medium(device.Backing))
		case types.BaseVirtualSCSIController:
			f.Set("controller "+name, kind)
		case *types.VirtualTPM, *types.VirtualPCIPassthrough, *types.VirtualUSB, *types.VirtualSerialPort,
			*types.VirtualParallelPort:
			f.Set("device "+name, kind)
		}
	}
	return f.Bounded()
}

// label is the name of a device as people see it; without one, its type and number.
func label(all object.VirtualDeviceList, device types.BaseVirtualDevice) string {
	if d := device.GetVirtualDevice(); d.DeviceInfo != nil {
		if info := d.DeviceInfo.GetDescription(); info.Label != "" {
			return info.Label
		}
	}
	return all.Name(device)
}

// disk is what a disk holds: its size, and the identifier that it keeps when it is moved.
func disk(d *types.VirtualDisk) string {
	size := d.CapacityInBytes
	if size == 0 {
		size = d.CapacityInKB << 10
	}
	said := []string{strconv.FormatInt(size>>20, 10) + " MiB"}
	var id string
	switch backing := d.Backing.(type) {
	case *types.VirtualDiskFlatVer2BackingInfo:
		id = backing.Uuid
	case *types.VirtualDiskSeSparseBackingInfo:
		id = backing.Uuid
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		id = backing.Uuid
	}
	if id != "" {
		said = append(said, id)
	}
	return strings.Join(said, ", ")
}

// network is where a card is connected.
func network(card types.BaseVirtualEthernetCard) string {
	switch backing := card.GetVirtualEthernetCard().Backing.(type) {
	case *types.VirtualEthernetCardNetworkBackingInfo:
		return backing.DeviceName
	case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
		return "port group " + backing.Port.PortgroupKey
	case *types.VirtualEthernetCardOpaqueNetworkBackingInfo:
		return "network " + backing.OpaqueNetworkId
	}
	return "not connected"
}

// medium is the file that lies in a drive, without its datastore: [datastore1] iso/x.iso.
func medium(backing types.BaseVirtualDeviceBackingInfo) string {
	if file, ok := backing.(types.BaseVirtualDeviceFileBackingInfo); ok {
		name := file.GetVirtualDeviceFileBackingInfo().FileName
		if _, path, ok := strings.Cut(name, "] "); ok && strings.HasPrefix(name, "[") {
			return path
		}
		return name
	}
	return "empty"
}

// itemFacts are what an item of a library holds. Its content has a version that grows
// with each change; that of its description, which a release changes, is another one.
func itemFacts(i library.Item) (map[string]string, error) {
	f := platform.Facts{}
	f.Set("content version", i.ContentVersion)
	f.Set("type", i.Type)
	f.Set("library", i.LibraryID)
	f.Number("size", i.Size, "bytes")
	if i.CreationTime != nil {
		f.Set("created", i.CreationTime.UTC().Format("2006-01-02T15:04:05Z"))
	}
	if i.Description != nil {
		f.Notes(*i.Description)
	}
	return f.Bounded()
}
