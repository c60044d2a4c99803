// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:30:15Z
// Spec: openspec/specs/lab/spec.md#requirement-disk-delta
// Diagram: openspec/specs/lab/diagram.md#parts

package lab

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// VSphere looks into a lab's vCenter, over the network as a client would.
type VSphere struct{ lab *Lab }

// Machine is one virtual machine or template.
type Machine struct {
	ID        string // vCenter's object id, such as vm-52
	Name      string
	Path      string // inventory path, such as /DC0/vm/golden/debian-12
	Notes     string
	Template  bool
	PoweredOn bool
	Address   string // of the guest, when it is up
	// directory with what the guest changed against the root file system or its template; empty before its first start
	Delta string
	Typed string // keys typed to it, in the notation of Packer's boot commands
}

// LibraryItem is one item of the lab's content library.
type LibraryItem struct {
	ID    string
	Name  string
	Notes string // its description
	Type  string // "ovf" for images
	// Files are the names of its files. An item without a descriptor, NAME.ovf, is not whole.
	Files []string
}

// Faults makes calls to vCenter fail. The path of a SOAP call is /sdk/METHOD.
func (v *VSphere) Faults() *fault.Injector { return &v.lab.vcenter.faults }

// Datastore is the host directory behind LocalDS_0.
func (v *VSphere) Datastore() string { return v.lab.vcenter.datastore }

// Machines lists the virtual machines and templates, by path.
func (v *VSphere) Machines(ctx context.Context) ([]Machine, error) {
	c, err := v.lab.vcenter.signIn(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing virtual machines: %w", err)
	}
	defer c.signOut(ctx)
	all, err := view.NewManager(c.vim.Client).CreateContainerView(ctx, c.vim.ServiceContent.RootFolder,
		[]string{"VirtualMachine"}, true)
	if err != nil {
		return nil, fmt.Errorf("listing virtual machines: %w", err)
	}
	var found []mo.VirtualMachine
	properties := []string{
		"name", "parent", "config.template", "config.annotation", "runtime.powerState",
		"guest.ipAddress",
	}
	if err := all.Retrieve(ctx, []string{"VirtualMachine"}, properties, &found); err != nil {
		return nil, fmt.Errorf("listing virtual machines: %w", err)
	}
	machines, folders := make([]Machine, 0, len(found)), map[types.ManagedObjectReference]string{}
	for _, vm := range found {
		if vm.Parent == nil {
			return nil, fmt.Errorf("listing virtual machines: %s is in no folder", vm.Name)
		}
		folder, known := folders[*vm.Parent]
		if !known {
			if folder, err = find.InventoryPath(ctx, c.vim.Client, *vm.Parent); err != nil {
				return nil, fmt.Errorf("listing virtual machines: %w", err)
			}
			folders[*vm.Parent] = folder
		}
		machines = append(machines, v.machine(vm, folder+"/"+vm.Name))
	}
	slices.SortFunc(machines, func(a, b Machine) int { return strings.Compare(a.Path, b.Path) })
	return machines, nil
}

// machine puts together what vCenter and the hardware know.
func (v *VSphere) machine(vm mo.VirtualMachine, path string) Machine {
	m := Machine{
		ID: vm.Self.Value, Name: vm.Name, Path: path, Typed: v.lab.vcenter.keys.text(vm.Self.Value),
		PoweredOn: vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn,
	}
	if vm.Config != nil {
		m.Template, m.Notes = vm.Config.Template, vm.Config.Annotation
	}
	if vm.Guest != nil {
		m.Address = vm.Guest.IpAddress
	}
	if hardware, ok := v.lab.machines.find(vm.Self.Value); ok {
		m.Delta = hardware.delta()
	}
	return m
}

// Plant puts a virtual machine or template of somebody else into a folder below the data center's, powered off.
// A missing folder is made.
func (v *VSphere) Plant(ctx context.Context, folder, name, notes string, template bool) error {
	finder := find.NewFinder(v.lab.vcenter.internalClient())
	datacenter, err := finder.DefaultDatacenter(ctx)
	if err != nil {
		return fmt.Errorf("planting a virtual machine: %w", err)
	}
	folders, err := datacenter.Folders(ctx)
	if err != nil {
		return fmt.Errorf("planting a virtual machine: %w", err)
	}
	into, err := finder.SetDatacenter(datacenter).Folder(ctx, folder)
	if _, missing := errors.AsType[*find.NotFoundError](err); missing {
		into, err = folders.VmFolder.CreateFolder(ctx, folder)
	}
	if err != nil {
		return fmt.Errorf("planting a virtual machine in %s: %w", folder, err)
	}
	spec := types.VirtualMachineConfigSpec{Name: name, Annotation: notes, NumCPUs: 1, MemoryMB: 128}
	if err := v.lab.vcenter.plant(ctx, into, template, spec); err != nil {
		return fmt.Errorf("planting a virtual machine: %w", err)
	}
	return nil
}

// LibraryItems lists the items of the lab's content library, by name.
func (v *VSphere) LibraryItems(ctx context.Context) ([]LibraryItem, error) {
	c, err := v.lab.vcenter.signIn(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing library items: %w", err)
	}
	defer c.signOut(ctx)
	manager := library.NewManager(c.rest)
	lib, err := manager.GetLibraryByName(ctx, libraryName)
	if err != nil {
		return nil, fmt.Errorf("finding the content library: %w", err)
	}
	found, err := manager.GetLibraryItems(ctx, lib.ID)
	if err != nil {
		return nil, fmt.Errorf("listing library items: %w", err)
	}
	items := make([]LibraryItem, 0, len(found))
	for _, item := range found {
		files, err := manager.ListLibraryItemFiles(ctx, item.ID)
		if err != nil {
			return nil, fmt.Errorf("listing the files of library item %s: %w", item.Name, err)
		}
		one := LibraryItem{ID: item.ID, Name: item.Name, Type: item.Type}
		if item.Description != nil {
			one.Notes = *item.Description
		}
		for _, f := range files {
			one.Files = append(one.Files, f.Name)
		}
		items = append(items, one)
	}
	slices.SortFunc(items, func(a, b LibraryItem) int { return strings.Compare(a.Name, b.Name) })
	return items, nil
}

// Console is the file that holds the messages of a machine's guest.
func (v *VSphere) Console(id string) string {
	return filepath.Join(v.lab.dir.path, "machines", filepath.Base(id), "console.log")
}
