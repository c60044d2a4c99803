// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:00:00Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package lab

import (
	"context"
	"fmt"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

// VSphereBaseName is the template that every lab's vCenter starts with, for builds that clone: an installed
// system with VMware Tools and the lab's build account.
const VSphereBaseName = "debian-12-base"

// createBase makes the template of VSphereBaseName in the folder of the images. Its disk is the root file
// system as it is: the first boot of a clone makes the build account.
func (v *vcenter) createBase() error {
	ctx, client := context.Background(), v.internalClient()
	finder := find.NewFinder(client)
	datacenter, err := finder.DefaultDatacenter(ctx)
	if err != nil {
		return fmt.Errorf("finding the data center: %w", err)
	}
	finder.SetDatacenter(datacenter)
	folder, err := finder.Folder(ctx, folderName)
	if err != nil {
		return fmt.Errorf("finding the folder %s: %w", folderName, err)
	}
	pool, err := finder.ResourcePool(ctx, "*/Resources")
	if err != nil {
		return fmt.Errorf("finding a resource pool: %w", err)
	}
	network, err := finder.Network(ctx, "VM Network")
	if err != nil {
		return fmt.Errorf("finding the network: %w", err)
	}
	devices, err := baseDevices(ctx, network)
	if err != nil {
		return err
	}
	task, err := folder.CreateVM(ctx, types.VirtualMachineConfigSpec{
		Name: VSphereBaseName, GuestId: string(types.VirtualMachineGuestOsIdentifierOther5xLinux64Guest), NumCPUs: 1, MemoryMB: 1024,
		Files: &types.VirtualMachineFileInfo{VmPathName: "[" + datastoreName + "]"}, DeviceChange: devices,
	}, pool, nil)
	if err != nil {
		return fmt.Errorf("making %s: %w", VSphereBaseName, err)
	}
	made, err := task.WaitForResult(ctx)
	if err != nil {
		return fmt.Errorf("making %s: %w", VSphereBaseName, err)
	}
	reference, ok := made.Result.(types.ManagedObjectReference)
	if !ok {
		return fmt.Errorf("making %s: vCenter answered %v", VSphereBaseName, made.Result)
	}
	if err := object.NewVirtualMachine(client, reference).MarkAsTemplate(ctx); err != nil {
		return fmt.Errorf("making %s a template: %w", VSphereBaseName, err)
	}
	return nil
}

// baseDevices are a disk on its controller and a network card.
func baseDevices(ctx context.Context, network object.NetworkReference) ([]types.BaseVirtualDeviceConfigSpec, error) {
	var devices object.VirtualDeviceList
	controller, err := devices.CreateSCSIController("pvscsi")
	if err != nil {
		return nil, fmt.Errorf("describing a disk controller: %w", err)
	}
	devices = append(devices, controller)
	scsi, ok := controller.(types.BaseVirtualController)
	if !ok {
		return nil, fmt.Errorf("describing a disk controller: it is a %T", controller)
	}
	disk := devices.CreateDisk(scsi, types.ManagedObjectReference{}, "")
	disk.CapacityInKB = 8 << 20
	backing, err := network.EthernetCardBackingInfo(ctx)
	if err != nil {
		return nil, fmt.Errorf("describing a network card: %w", err)
	}
	card, err := devices.CreateEthernetCard("vmxnet3", backing)
	if err != nil {
		return nil, fmt.Errorf("describing a network card: %w", err)
	}
	changes, err := append(devices, disk, card).ConfigSpec(types.VirtualDeviceConfigSpecOperationAdd)
	if err != nil {
		return nil, fmt.Errorf("describing hardware: %w", err)
	}
	return changes, nil
}
