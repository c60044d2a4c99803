// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:26:00Z
// Spec: openspec/specs/leases/spec.md#requirement-cds-without-a-machine
// Diagram: openspec/specs/leases/diagram.md#reap-on-vsphere

package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// media lists the CDs of these names in the folder for uploads that no machine
// has: one that a machine has goes or stays with the machine.
func (c *client) media(ctx context.Context, names []string) ([]platform.Leftover, error) {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !hybridcore.IsMedium(name) })
	if len(names) == 0 || c.store == "" {
		return nil, nil
	}
	stores, err := c.datastores(ctx)
	if err != nil {
		return nil, err
	}
	var left []platform.Leftover
	for _, store := range stores {
		there, err := c.list(
			ctx,
			store.Browser,
			(&object.DatastorePath{Datastore: store.Name, Path: uploadFolder}).String(),
			names...)
		if err != nil {
			return nil, fmt.Errorf("listing the uploads in datastore %s: %w", store.Name, err)
		}
		for _, name := range there {
			if !slices.Contains(names, name) {
				continue
			}
			file := (&object.DatastorePath{Datastore: store.Name, Path: uploadFolder + "/" + name}).String()
			used, err := c.mounted(ctx, store.Self, file)
			if err != nil {
				return nil, err
			}
			if !used {
				left = append(left, c.unmounted(store.Self, name, file))
			}
		}
	}
	return left, nil
}

// unmounted is a CD and how it goes.
func (c *client) unmounted(store types.ManagedObjectReference, name, file string) platform.Leftover {
	return platform.Leftover{
		URI: hybridcore.URI{Kind: platform.UploadedMedium, Name: name, ID: file},
		Remove: func(ctx context.Context) error {
			if used, err := c.mounted(ctx, store, file); err != nil || used {
				return errors.Join(err, platform.ErrMounted(used))
			}
			return refusedBy(c.deleteFile(ctx, store, file))
		},
		Hand: "govc datastore.rm " + platform.Quoted(file),
	}
}

// datastores lists the datastores, one in each data center, to which Packer uploads.
func (c *client) datastores(ctx context.Context) ([]mo.Datastore, error) {
	all, err := view.NewManager(c.soap.Client).
		CreateContainerView(ctx, c.soap.ServiceContent.RootFolder, []string{"Datastore"}, true)
	if err != nil {
		return nil, fmt.Errorf("listing datastores: %w", err)
	}
	defer func() { _ = all.Destroy(context.WithoutCancel(ctx)) }()
	var stores []mo.Datastore
	if err := all.Retrieve(ctx, []string{"Datastore"}, []string{"name", "browser"}, &stores); err != nil {
		return nil, fmt.Errorf("reading datastores: %w", err)
	}
	return slices.DeleteFunc(stores, func(s mo.Datastore) bool { return s.Name != c.store }), nil
}

// mounted reports whether a machine that uses a datastore has a file of it in a
// CD drive. In doubt it has: a machine may show no configuration.
func (c *client) mounted(ctx context.Context, store types.ManagedObjectReference, file string) (bool, error) {
	collector := property.DefaultCollector(c.soap.Client)
	var known mo.Datastore
	if err := collector.RetrieveOne(ctx, store, []string{"vm"}, &known); err != nil {
		return false, fmt.Errorf("reading which machines use the datastore: %w", err)
	}
	for some := range slices.Chunk(known.Vm, 100) {
		machines, err := c.read(ctx, some, "config.hardware.device")
		if err != nil {
			return false, fmt.Errorf("reading the drives of machines that use the datastore: %w", err)
		}
		for _, m := range machines {
			if m.Config == nil {
				return true, nil
			}
			for _, device := range devices(m).SelectByType((*types.VirtualCdrom)(nil)) {
				if backing, ok := device.GetVirtualDevice().Backing.(*types.VirtualCdromIsoBackingInfo); ok &&
					backing.FileName == file {
					return true, nil
				}
			}
		}
	}
	return false, nil
}
