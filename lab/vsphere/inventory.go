// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:00:00Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package vsphere

import (
	"context"
	"fmt"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/types"
)

// The inventory that every vCenter starts with, beside govmomi's defaults (DC0, DC0_C0, "VM Network") and the
// datastore.
const (
	libraryName = "golden"
	folderName  = "golden"

	// BaseName is a template for builds that clone: an installed system with VMware Tools and the lab's build account.
	BaseName = "debian-12-base"
)

// fill makes the inventory: a data center and a cluster without virtual machines, but one template.
func fill(client *vim25.Client, disk datastore) error {
	ctx, finder := context.Background(), find.NewFinder(client)
	datacenter, err := finder.DefaultDatacenter(ctx)
	if err != nil {
		return fmt.Errorf("finding the data center: %w", err)
	}
	finder.SetDatacenter(datacenter)
	if err := disk.mount(ctx, finder); err != nil {
		return err
	}
	folders, err := datacenter.Folders(ctx)
	if err != nil {
		return fmt.Errorf("finding the folder of virtual machines: %w", err)
	}
	// The plugin would make the folder of the images too, but two first builds at once then both try, and one fails.
	folder, err := folders.VmFolder.CreateFolder(ctx, folderName)
	if err != nil {
		return fmt.Errorf("making the folder %s: %w", folderName, err)
	}
	network, err := finder.Network(ctx, "VM Network")
	if err != nil {
		return fmt.Errorf("finding the network: %w", err)
	}
	devices, err := baseDevices(ctx, network)
	if err != nil {
		return err
	}
	// Its disk is the root file system as it is: the first boot of a clone makes the build account.
	return plant(ctx, client, folder, true,
		types.VirtualMachineConfigSpec{Name: BaseName, NumCPUs: 1, MemoryMB: 1024, DeviceChange: devices})
}

// plant makes a virtual machine or template that no client asked for.
func plant(ctx context.Context, client *vim25.Client, folder *object.Folder, template bool,
	spec types.VirtualMachineConfigSpec,
) error {
	pool, err := find.NewFinder(client).ResourcePool(ctx, "/*/host/*/Resources")
	if err != nil {
		return fmt.Errorf("finding a resource pool: %w", err)
	}
	spec.GuestId = string(types.VirtualMachineGuestOsIdentifierOther5xLinux64Guest)
	spec.Files = &types.VirtualMachineFileInfo{VmPathName: "[" + datastoreName + "]"}
	task, err := folder.CreateVM(ctx, spec, pool, nil)
	if err != nil {
		return fmt.Errorf("making %s: %w", spec.Name, err)
	}
	made, err := task.WaitForResult(ctx)
	if err != nil {
		return fmt.Errorf("making %s: %w", spec.Name, err)
	}
	reference, ok := made.Result.(types.ManagedObjectReference)
	if !ok {
		return fmt.Errorf("making %s: vCenter answered %v", spec.Name, made.Result)
	}
	if !template {
		return nil
	}
	if err := object.NewVirtualMachine(client, reference).MarkAsTemplate(ctx); err != nil {
		return fmt.Errorf("making %s a template: %w", spec.Name, err)
	}
	return nil
}

// createLibrary makes the content library that receives OVF items.
func createLibrary(ctx context.Context, at address) error {
	client, err := at.signIn(ctx)
	if err != nil {
		return err
	}
	defer client.signOut(ctx)
	store, err := find.NewFinder(client.vim.Client).Datastore(ctx, "/*/datastore/"+datastoreName)
	if err != nil {
		return fmt.Errorf("finding the datastore: %w", err)
	}
	_, err = library.NewManager(client.rest).CreateLibrary(ctx, library.Library{
		Name: libraryName, Type: "LOCAL",
		Storage: []library.StorageBacking{{DatastoreID: store.Reference().Value, Type: "DATASTORE"}},
	})
	if err != nil {
		return fmt.Errorf("creating %s: %w", libraryName, err)
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
