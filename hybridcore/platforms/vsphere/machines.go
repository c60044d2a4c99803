// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-after-a-build

package vsphere

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// Find returns templates, machines and library items of that name.
func (c *client) Find(ctx context.Context, name string) ([]hybridcore.URI, error) {
	ctx, cancel := context.WithTimeout(ctx, platform.Timeout)
	defer cancel()
	found, err := c.machines(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("looking for machine %s in vCenter: %w", name, err)
	}
	if c.library == "" {
		return found, nil
	}
	items, err := c.items(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("looking for %s in content library %s: %w", name, c.library, err)
	}
	return append(found, items...), nil
}

func (c *client) machines(ctx context.Context, name string) ([]hybridcore.URI, error) {
	machines, err := c.named(ctx, name, "config.template")
	if err != nil {
		return nil, err
	}
	found := []hybridcore.URI{}
	for _, m := range machines {
		kind := platform.VM
		if m.Config != nil && m.Config.Template {
			kind = platform.VMTemplate
		}
		found = append(found, hybridcore.URI{Kind: kind, Name: m.Name, ID: m.Self.Value})
	}
	slices.SortFunc(found, func(a, b hybridcore.URI) int { return strings.Compare(a.ID, b.ID) })
	return found, nil
}

// items lists the library items of exactly this name. One without a descriptor
// is not whole, so that nobody takes it for an image.
func (c *client) items(ctx context.Context, name string) ([]hybridcore.URI, error) {
	items, err := c.libraryItems(ctx, name)
	if err != nil {
		return nil, err
	}
	found := make([]hybridcore.URI, 0, len(items))
	for _, i := range items {
		found = append(found, i.uri())
	}
	return found, nil
}

// named reads properties of the machines and templates of exactly this name.
func (c *client) named(ctx context.Context, name string, properties ...string) ([]mo.VirtualMachine, error) {
	all, err := view.NewManager(c.soap.Client).
		CreateContainerView(ctx, c.soap.ServiceContent.RootFolder, []string{"VirtualMachine"}, true)
	if err != nil {
		return nil, fmt.Errorf("listing machines: %w", err)
	}
	defer func() { _ = all.Destroy(context.WithoutCancel(ctx)) }()
	refs, err := all.Find(ctx, []string{"VirtualMachine"}, property.Match{"name": name})
	if err != nil {
		return nil, fmt.Errorf("filtering machines: %w", err)
	}
	machines, err := c.read(ctx, refs, append(properties, "name")...)
	if err != nil {
		return nil, fmt.Errorf("reading machines: %w", err)
	}
	exact := machines[:0]
	for _, m := range machines {
		if m.Name == name { // the filter understands patterns, a name is none
			exact = append(exact, m)
		}
	}
	return exact, nil
}

// read reads properties of machines. vCenter refuses all of a list when one of it was
// deleted meanwhile: then the others are read one by one.
func (c *client) read(
	ctx context.Context, refs []types.ManagedObjectReference, properties ...string,
) ([]mo.VirtualMachine, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	var all []mo.VirtualMachine
	collector := property.DefaultCollector(c.soap.Client)
	err := collector.Retrieve(ctx, refs, properties, &all)
	if !fault.Is(err, &types.ManagedObjectNotFound{}) {
		return all, err //nolint:wrapcheck // the caller says what was read
	}
	all = nil
	for _, ref := range refs {
		var one mo.VirtualMachine
		err := collector.RetrieveOne(ctx, ref, properties, &one)
		switch {
		case err == nil:
			all = append(all, one)
		case !fault.Is(err, &types.ManagedObjectNotFound{}):
			return nil, err //nolint:wrapcheck // the caller says what was read
		}
	}
	return all, nil
}
