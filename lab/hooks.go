// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:29:05Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package lab

import (
	"errors"
	"reflect"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

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

// intercepted names the calls that the simulator lacks or answers otherwise than a real vCenter.
var intercepted = map[string]bool{"PutUsbScanCodes": true, "ReconfigVM_Task": true, "ShutdownGuest": true}

// CheckVersion refuses the change of a machine that has another version by now, as vCenter does. The
// simulator knows no versions, and lets a template's notes change only without one: it gets none.
func CheckVersion(ctx *simulator.Context, method *simulator.Method) types.BaseMethodFault {
	req, ok := method.Body.(*types.ReconfigVM_Task)
	if !ok || req.Spec.ChangeVersion == "" {
		return nil
	}
	vm, exists := ctx.Map.Get(method.This).(*simulator.VirtualMachine)
	if !exists {
		return nil // which the simulator says
	}
	same := false
	ctx.WithLock(vm, func() { same = vm.Config.ChangeVersion == req.Spec.ChangeVersion })
	if !same {
		return new(types.ConcurrentAccess)
	}
	req.Spec.ChangeVersion = ""
	return nil
}

// intercept puts a wrapped virtual machine into the caller's session before an intercepted call. The
// simulator looks there first, so the object of the inventory stays its own.
func (v *vcenter) intercept(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	if req, ok := method.Body.(*types.CreateVM_Task); ok {
		placeCards(req.Config.DeviceChange)
	}
	if refused := CheckVersion(ctx, method); refused != nil {
		return nil, refused
	}
	if method.This.Type != "VirtualMachine" || ctx.Session == nil || ctx.Session.UserName == "" {
		return nil, nil // the simulator's own clients, without a name, share one session in all labs
	}
	vm, exists := ctx.Map.Get(method.This).(*simulator.VirtualMachine)
	if !exists {
		ctx.Session.Remove(ctx, method.This) // what was wrapped once is gone
		return nil, nil
	}
	if intercepted[method.Name] {
		ctx.Session.Registry.Put(&hookedVM{VirtualMachine: vm, vcenter: v})
	}
	return nil, nil
}

// The PCI controller that each virtual machine has, and the place of its first network card there.
const pciController, firstCard = 100, 7

// placeCards gives the network cards of a new machine their places. The simulator would write them into
// its one PCI controller, which all machines share and others may be reading.
func placeCards(changes []types.BaseVirtualDeviceConfigSpec) {
	unit := int32(firstCard)
	for _, change := range changes {
		card, ok := change.GetVirtualDeviceConfigSpec().Device.(types.BaseVirtualEthernetCard)
		if !ok {
			continue
		}
		if c := card.GetVirtualEthernetCard(); c.UnitNumber == nil {
			c.ControllerKey, c.UnitNumber = pciController, new(unit)
			unit++
		}
	}
}

// hookedVM is a virtual machine with the calls of intercepted.
type hookedVM struct {
	*simulator.VirtualMachine
	vcenter *vcenter
}

// PutUsbScanCodes records typed keys. The simulator does not have the call.
func (vm *hookedVM) PutUsbScanCodes(_ *simulator.Context, req *types.PutUsbScanCodes) soap.HasFault {
	vm.vcenter.keys.record(vm.Self.Value, req.Spec.KeyEvents)
	return &methods.PutUsbScanCodesBody{
		Res: &types.PutUsbScanCodesResponse{Returnval: int32(len(req.Spec.KeyEvents))},
	}
}

// ReconfigVMTask lets the boot options of a template change, which vCenter allows and the simulator refuses.
// Packer clears the boot order after the conversion to a template.
func (vm *hookedVM) ReconfigVMTask(ctx *simulator.Context, req *types.ReconfigVM_Task) soap.HasFault {
	onlyBoot := types.VirtualMachineConfigSpec{BootOptions: req.Spec.BootOptions}
	if !vm.Config.Template || req.Spec.BootOptions == nil || !reflect.DeepEqual(req.Spec, onlyBoot) {
		return vm.VirtualMachine.ReconfigVMTask(ctx, req)
	}
	target := vm.VirtualMachine
	work := simulator.CreateTask(target, "reconfigVm", func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		ctx.Update(target, []types.PropertyChange{{Name: "config.bootOptions", Val: req.Spec.BootOptions}})
		return nil, nil
	})
	return &methods.ReconfigVM_TaskBody{Res: &types.ReconfigVM_TaskResponse{Returnval: work.Run(ctx)}}
}

// ShutdownGuest lets the guest power off in an orderly way before vCenter says that it is off.
func (vm *hookedVM) ShutdownGuest(ctx *simulator.Context, req *types.ShutdownGuest) soap.HasFault {
	if hardware, ok := vm.vcenter.lab.machines.find(vm.Self.Value); ok {
		hardware.shutdown()
	}
	return vm.VirtualMachine.ShutdownGuest(ctx, req)
}

// powerWatch is told of every change in the inventory and moves the hardware along.
type powerWatch struct{ vcenter *vcenter }

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
	if err := w.vcenter.lab.machines.removed(ref.Value); err != nil {
		w.vcenter.lab.logf("removing the disks of %s: %v", ref.Value, err)
	}
}

// finished links the disk of a clone to its source before anybody learns that the clone is there.
func (w *powerWatch) finished(t *mo.Task) {
	clone, ok := t.Info.Result.(types.ManagedObjectReference)
	if !ok || t.Info.State != types.TaskInfoStateSuccess || t.Info.DescriptionId != "VirtualMachine.cloneVm" ||
		t.Info.Entity == nil {
		return
	}
	if err := w.vcenter.lab.machines.cloned(t.Info.Entity.Value, clone.Value); err != nil {
		w.vcenter.lab.logf("cloning %s: %v", t.Info.Entity.Value, err)
	}
}

// power follows a virtual machine's power state. Powering off waits until the guest is gone; powering on
// happens in the background, since the object's lock is held here.
func (w *powerWatch) power(ref, name string, state types.VirtualMachinePowerState) {
	hardware := w.vcenter.lab.machines.of(ref)
	if state != types.VirtualMachinePowerStatePoweredOn {
		hardware.powerOff()
		go w.report(ref, name, "")
		return
	}
	hardware.powerOn(name,
		func(address string) { w.report(ref, name, address) },
		func() { w.vcenter.powerOff(ref) })
}

// errNoNetworkCard explains an address that cannot be reported.
var errNoNetworkCard = errors.New("it has no network card")

// report sets what VMware Tools would report: with an address that the guest is up, without one that it is not.
func (w *powerWatch) report(ref, name, address string) {
	registry := w.vcenter.model.Map()
	vm, exists := registry.Get(vmReference(ref)).(*simulator.VirtualMachine)
	if !exists {
		return
	}
	ctx := &simulator.Context{Context: w.vcenter.model.Service.Context.Context, Map: registry}
	registry.WithLock(ctx, vm, func() {
		running := vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn
		if running != (address != "") {
			return // the power state changed in the meantime, and its own report is on the way
		}
		changes, err := toolsReport(vm, name, address)
		if err != nil {
			w.vcenter.lab.logf("reporting the address of %s: %v", name, err)
		}
		registry.Update(ctx, vm, changes)
	})
}
