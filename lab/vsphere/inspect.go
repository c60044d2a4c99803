// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:30:15Z
// Spec: openspec/specs/lab/spec.md#requirement-disk-delta
// Diagram: openspec/specs/lab/diagram.md#parts

package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// VM is one virtual machine or template.
type VM struct {
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

// Datastore is the host directory behind LocalDS_0.
func (s *Server) Datastore() string { return s.datastore.dir }

// Machines lists the virtual machines and templates, by path.
func (s *Server) Machines(ctx context.Context) ([]VM, error) {
	c, err := s.address().signIn(ctx)
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
	machines, folders := make([]VM, 0, len(found)), map[types.ManagedObjectReference]string{}
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
		machines = append(machines, s.machine(vm, folder+"/"+vm.Name))
	}
	slices.SortFunc(machines, func(a, b VM) int { return strings.Compare(a.Path, b.Path) })
	return machines, nil
}

// machine puts together what vCenter and the hardware know.
func (s *Server) machine(vm mo.VirtualMachine, path string) VM {
	m := VM{
		ID: vm.Self.Value, Name: vm.Name, Path: path, Typed: s.keys.text(vm.Self.Value),
		PoweredOn: vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn,
	}
	if vm.Config != nil {
		m.Template, m.Notes = vm.Config.Template, vm.Config.Annotation
	}
	if vm.Guest != nil {
		m.Address = vm.Guest.IpAddress
	}
	m.Delta = s.config.Disks.Delta(m.ID)
	return m
}

// Plant puts a virtual machine or template of somebody else into a folder below the data center's, powered off.
// A missing folder is made.
func (s *Server) Plant(ctx context.Context, folder, name, notes string, template bool) error {
	client := internalClient(s.model.Service)
	finder := find.NewFinder(client)
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
	if err := plant(ctx, client, into, template, spec); err != nil {
		return fmt.Errorf("planting a virtual machine: %w", err)
	}
	return nil
}

// Remove takes the virtual machine or template of an inventory path away, as somebody else might.
func (s *Server) Remove(ctx context.Context, path string) error {
	vm, err := find.NewFinder(internalClient(s.model.Service)).VirtualMachine(ctx, path)
	if err != nil {
		return fmt.Errorf("removing a virtual machine: %w", err)
	}
	task, err := vm.Destroy(ctx)
	if err == nil {
		err = task.Wait(ctx)
	}
	if err != nil {
		return fmt.Errorf("removing a virtual machine: %w", err)
	}
	return nil
}

// LibraryItems lists the items of the lab's content library, by name.
func (s *Server) LibraryItems(ctx context.Context) ([]LibraryItem, error) {
	c, err := s.address().signIn(ctx)
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
