// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:29:05Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package vsphere

import (
	"context"
	"time"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// Hardware is what virtual machines run on. Each is known by its reference in vCenter.
type Hardware interface {
	// Machine returns the hardware of a virtual machine, which is made when there is none.
	Machine(ref string) Machine
}

// Machine is the hardware of one virtual machine.
type Machine interface {
	// PowerOn boots the guest in the background. up is called with its address when SSH is served, down when it
	// ended by itself or could not start.
	PowerOn(name string, up func(address string), down func())
	// Shutdown ends the guest in an orderly way and returns when it is gone.
	Shutdown()
	// PowerOff ends the guest at once and returns when it is gone.
	PowerOff()
}

// Disks are the disks of virtual machines.
type Disks interface {
	// Clone gives clone the disk of source.
	Clone(source, clone string) error
	// Remove removes a virtual machine's hardware with the disks that no other needs.
	Remove(ref string) error
	// Delta is the directory with what a guest wrote; empty before its first start.
	Delta(ref string) string
}

// vmReference is the managed object reference of a virtual machine's object id.
func vmReference(ref string) types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "VirtualMachine", Value: ref}
}

// isGone reports whether a power-off failed because there is nothing left to power off.
func isGone(err error) bool {
	var missing *types.ManagedObjectNotFound
	var state *types.InvalidPowerState
	_, foundMissing := fault.As(err, &missing)
	_, foundState := fault.As(err, &state)
	return foundMissing || foundState
}

// powerWatch is told of every change in the inventory and moves the hardware along.
type powerWatch struct {
	model    *simulator.Model
	hardware Hardware
	disks    Disks
	log      func(format string, args ...any)
}

// Reference names the watch in the simulator's list of handlers.
func (w *powerWatch) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "LabPowerWatch", Value: "lab"}
}

// PutObject is called for new objects; hardware is made at the first power-on.
func (w *powerWatch) PutObject(*simulator.Context, mo.Reference) {}

// UpdateObject is called for each change, with the object's lock held.
func (w *powerWatch) UpdateObject(_ *simulator.Context, object mo.Reference, changes []types.PropertyChange) {
	switch changed := object.(type) {
	case *mo.VirtualMachine:
		for _, c := range changes {
			if state, ok := c.Val.(types.VirtualMachinePowerState); ok && c.Name == "runtime.powerState" {
				w.power(changed.Self.Value, changed.Name, state)
			}
		}
	case *mo.Task:
		w.finished(changed)
	}
}

// RemoveObject is called when an object leaves the inventory.
func (w *powerWatch) RemoveObject(_ *simulator.Context, ref types.ManagedObjectReference) {
	if ref.Type != "VirtualMachine" {
		return
	}
	if err := w.disks.Remove(ref.Value); err != nil {
		w.log("removing the disks of %s: %v", ref.Value, err)
	}
}

// finished links the disk of a clone to its source before anybody learns that the clone is there.
func (w *powerWatch) finished(t *mo.Task) {
	clone, ok := t.Info.Result.(types.ManagedObjectReference)
	if !ok || t.Info.State != types.TaskInfoStateSuccess || t.Info.DescriptionId != "VirtualMachine.cloneVm" ||
		t.Info.Entity == nil {
		return
	}
	if err := w.disks.Clone(t.Info.Entity.Value, clone.Value); err != nil {
		w.log("cloning %s: %v", t.Info.Entity.Value, err)
	}
}

// power follows a virtual machine's power state. Powering off waits until the guest is gone; powering on
// happens in the background, since the object's lock is held here.
func (w *powerWatch) power(ref, name string, state types.VirtualMachinePowerState) {
	hardware := w.hardware.Machine(ref)
	if state != types.VirtualMachinePowerStatePoweredOn {
		hardware.PowerOff()
		go w.report(ref, name, "")
		return
	}
	hardware.PowerOn(name,
		func(address string) { w.report(ref, name, address) },
		func() { w.powerOff(ref) })
}

// powerOff powers a virtual machine off in vCenter, as its hardware tells.
func (w *powerWatch) powerOff(ref string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	vm := object.NewVirtualMachine(internalClient(w.model.Service), vmReference(ref))
	task, err := vm.PowerOff(ctx)
	if err == nil {
		err = task.Wait(ctx)
	}
	if err != nil && !isGone(err) {
		w.log("powering off %s in vCenter: %v", ref, err)
	}
}

// report sets what VMware Tools would report: with an address that the guest is up, without one that it is not.
func (w *powerWatch) report(ref, name, address string) {
	registry := w.model.Map()
	vm, exists := registry.Get(vmReference(ref)).(*simulator.VirtualMachine)
	if !exists {
		return
	}
	ctx := &simulator.Context{Context: w.model.Service.Context.Context, Map: registry}
	registry.WithLock(ctx, vm, func() {
		running := vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn
		if running != (address != "") {
			return // the power state changed in the meantime, and its own report is on the way
		}
		changes, err := toolsReport(vm, name, address)
		if err != nil {
			w.log("reporting the address of %s: %v", name, err)
		}
		registry.Update(ctx, vm, changes)
	})
}
