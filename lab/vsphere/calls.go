// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:29:05Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package vsphere

import (
	"reflect"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

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

// calls are what a vCenter answers itself.
type calls struct {
	hardware Hardware
	keys     *keyboard
}

// intercept puts a wrapped virtual machine into the caller's session before an intercepted call. The
// simulator looks there first, so the object of the inventory stays its own.
func (c *calls) intercept(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
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
		ctx.Session.Registry.Put(&hookedVM{VirtualMachine: vm, calls: c})
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
	calls *calls
}

// PutUsbScanCodes records typed keys. The simulator does not have the call.
func (vm *hookedVM) PutUsbScanCodes(_ *simulator.Context, req *types.PutUsbScanCodes) soap.HasFault {
	vm.calls.keys.record(vm.Self.Value, req.Spec.KeyEvents)
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
	vm.calls.hardware.Machine(vm.Self.Value).Shutdown()
	return vm.VirtualMachine.ShutdownGuest(ctx, req)
}
