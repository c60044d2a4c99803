// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:00Z
// Spec: openspec/specs/leases/spec.md#requirement-reap-exactly-what-a-dead-run-left
// Diagram: openspec/specs/leases/diagram.md#reap

package platforms

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// uploads is the folder into which the vSphere plugin uploads the CDs that it
// makes; a file there belongs to one build.
const uploads = "packer_cache/"

// mark is what the notes of everything that a run creates contain.
func mark(runID string) string { return "run " + runID + ", built by packer-hybrid" }

// Reap removes what a dead run left in vCenter: machines that are no
// templates, and the CDs that were uploaded for them.
func (c *vsphere) Reap(ctx context.Context, name, runID string, dry bool) ([]hybridcore.URI, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	left, err := c.leftovers(ctx, name, runID)
	if err != nil {
		return nil, fmt.Errorf("looking for what run %s left in vCenter: %w", runID, err)
	}
	var found []hybridcore.URI
	for _, m := range left {
		if !dry {
			if err := c.remove(ctx, m); err != nil {
				return found, fmt.Errorf("removing machine %s (%s) from vCenter: %w", m.Name, m.Self.Value, err)
			}
		}
		found = append(found, hybridcore.URI{Kind: vm, Name: m.Name, ID: m.Self.Value})
	}
	return found, nil
}

// leftovers lists the machines with the name and the mark of a run.
func (c *vsphere) leftovers(ctx context.Context, name, runID string) ([]mo.VirtualMachine, error) {
	all, err := c.named(ctx, name, "config", "runtime.powerState")
	if err != nil {
		return nil, err
	}
	var left []mo.VirtualMachine
	for _, m := range all {
		if m.Config != nil && !m.Config.Template && strings.Contains(m.Config.Annotation, mark(runID)) {
			left = append(left, m)
		}
	}
	return left, nil
}

// named reads properties of the machines and templates of exactly this name.
func (c *vsphere) named(ctx context.Context, name string, properties ...string) ([]mo.VirtualMachine, error) {
	all, err := view.NewManager(c.soap.Client).CreateContainerView(ctx, c.soap.ServiceContent.RootFolder, []string{"VirtualMachine"}, true)
	if err != nil {
		return nil, fmt.Errorf("listing machines: %w", err)
	}
	defer func() { _ = all.Destroy(context.WithoutCancel(ctx)) }()
	refs, err := all.Find(ctx, []string{"VirtualMachine"}, property.Match{"name": name})
	if err != nil {
		return nil, fmt.Errorf("filtering machines: %w", err)
	}
	if len(refs) == 0 {
		return nil, nil
	}
	var machines []mo.VirtualMachine
	if err := property.DefaultCollector(c.soap.Client).Retrieve(ctx, refs, append(properties, "name"), &machines); err != nil {
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

// remove powers a machine off, destroys it, and deletes the CDs that were
// uploaded for it.
func (c *vsphere) remove(ctx context.Context, m mo.VirtualMachine) error {
	machine := object.NewVirtualMachine(c.soap.Client, m.Self)
	if m.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOff {
		task, err := machine.PowerOff(ctx)
		if err == nil {
			err = task.Wait(ctx)
		}
		if err != nil {
			return fmt.Errorf("powering it off: %w", err)
		}
	}
	for _, cd := range cds(m) { // while the machine still leads to them
		if err := c.deleteFile(ctx, m.Self, cd); err != nil {
			return fmt.Errorf("deleting its CD %s: %w", cd, err)
		}
	}
	task, err := machine.Destroy(ctx)
	if err == nil {
		err = task.Wait(ctx)
	}
	if err != nil {
		return fmt.Errorf("destroying it: %w", err)
	}
	return nil
}

// cds lists the datastore paths of the CDs that were uploaded for a machine.
func cds(m mo.VirtualMachine) []string {
	var found []string
	for _, device := range object.VirtualDeviceList(m.Config.Hardware.Device).SelectByType((*types.VirtualCdrom)(nil)) {
		backing, ok := device.GetVirtualDevice().Backing.(*types.VirtualCdromIsoBackingInfo)
		if !ok {
			continue
		}
		var path object.DatastorePath
		if path.FromString(backing.FileName) && strings.HasPrefix(path.Path, uploads) {
			found = append(found, backing.FileName)
		}
	}
	return found
}

// deleteFile deletes a file of a machine's data center. One that is gone
// already is no error: an earlier reap may have come this far.
func (c *vsphere) deleteFile(ctx context.Context, machine types.ManagedObjectReference, path string) error {
	ancestors, err := mo.Ancestors(ctx, c.soap.Client, c.soap.ServiceContent.PropertyCollector, machine)
	if err != nil {
		return fmt.Errorf("finding the data center: %w", err)
	}
	for _, a := range ancestors {
		if a.Self.Type != "Datacenter" {
			continue
		}
		task, err := object.NewFileManager(c.soap.Client).DeleteDatastoreFile(ctx, path, object.NewDatacenter(c.soap.Client, a.Self))
		if err == nil {
			err = task.Wait(ctx)
		}
		if err != nil && !fault.Is(err, &types.FileNotFound{}) {
			return fmt.Errorf("in %s: %w", a.Name, err)
		}
		return nil
	}
	return errors.New("the machine is in no data center")
}
