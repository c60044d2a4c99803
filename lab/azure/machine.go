// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:38Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#one-build

package azure

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// machineAPI makes and stops virtual machines.
type machineAPI struct {
	store  *store
	work   *operations
	guests Guests
}

// bootTimeout bounds the boot of a guest, which takes less than a second on an idle machine.
const bootTimeout = 2 * time.Minute

// create makes a virtual machine with its disk, and returns when its guest is up.
func (a *machineAPI) create(ctx context.Context, t arm.ID, body map[string]any) error {
	p := readProfile(arm.Object(body, "properties"))
	r, err := a.addMachine(t, body, p)
	if err != nil {
		return err
	}
	guest := Guest{Disk: r.disk, Hostname: p.computer, User: p.user, Password: p.password, Keys: p.keys}
	up, down := make(chan struct{}, 1), make(chan struct{}, 1)
	a.guests.Boot(guest,
		func(address string) { a.machineUp(r, address); signal(up) },
		func() { a.machineDown(r); signal(down) })
	late := time.NewTimer(bootTimeout)
	defer late.Stop()
	select {
	case <-up:
		a.store.setState(r, stateSucceeded)
		return nil
	case <-down:
		err = arm.Refuse(http.StatusConflict, "OSProvisioningInternalError",
			"OS Provisioning failed for VM '%s': its guest did not start.", t.Names[0])
	case <-late.C:
		err = arm.Refuse(http.StatusConflict, "OSProvisioningTimedOut",
			"OS Provisioning for VM '%s' did not finish in the allotted time.", t.Names[0])
	case <-r.vm.gone:
		return arm.Refuse(http.StatusConflict, "OperationPreempted",
			"The operation was preempted by the deletion of VM '%s'.",
			t.Names[0])
	case <-ctx.Done():
		return fmt.Errorf("creating a virtual machine: %w", context.Cause(ctx))
	}
	a.store.setState(r, stateFailed)
	return err
}

// signal tells a waiting receiver once.
func signal(to chan<- struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// addMachine puts a machine and its disk into the store.
func (a *machineAPI) addMachine(t arm.ID, body map[string]any, p profile) (*resource, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	g, err := a.store.usableGroup(t.Group)
	if err != nil {
		return nil, err
	}
	if _, exists := g.resources[t.Key()]; exists {
		return nil, arm.Refuse(http.StatusConflict, "PropertyChangeNotAllowed",
			"The lab does not change virtual machines that exist: '%s'.", t.Names[0])
	}
	if nic, err := a.store.findID(p.nicID); err != nil || nic.target.Type != arm.NetworkInterfaces {
		return nil, arm.Refuse(http.StatusBadRequest, "InvalidResourceReference",
			"Resource %s referenced by resource %s was not found.", arm.Clip(p.nicID), t.String())
	}
	name := p.diskName
	if name == "" {
		name = t.Names[0] + "_OsDisk_1"
	}
	disk := t
	disk.Type, disk.Names = arm.Disks, []string{name}
	if _, exists := g.resources[disk.Key()]; exists {
		return nil, arm.Refuse(http.StatusConflict, "ConflictingUserInput",
			"Disk '%s' already exists in resource group '%s'.",
			name, g.name)
	}
	kept := a.store.add(g, disk, map[string]any{
		"location": body["location"], "tags": body["tags"], "sku": map[string]any{"name": "Standard_LRS"},
		"properties": map[string]any{"osType": "Linux", "creationData": map[string]any{"createOption": "FromImage"}},
	})
	kept.state, kept.disk = stateSucceeded, a.store.newDisk()

	properties := arm.Object(body, "properties")
	properties["vmId"] = guid()
	delete(arm.Object(properties, "osProfile"), "adminPassword")
	system := arm.Object(properties, "storageProfile", "osDisk")
	system["name"], system["osType"] = name, "Linux"
	arm.Object(system, "managedDisk")["id"] = disk.String()
	r := a.store.add(g, t, body)
	r.disk, r.vm = kept.disk, &machine{nicID: p.nicID, power: powerStarting, gone: make(chan struct{})}
	return r, nil
}

// machineUp stores the address at which a guest is reached: the private and the public one are the same.
func (a *machineAPI) machineUp(r *resource, address string) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	r.vm.power = powerRunning
	nic, err := a.store.findID(r.vm.nicID)
	if err != nil {
		return // deleted in the meantime
	}
	if configuration, ok := firstConfiguration(nic).(map[string]any); ok {
		configuration["privateIPAddress"] = address
	}
	if public, err := a.store.findID(publicIPOf(nic)); err == nil {
		arm.Object(public.body, "properties")["ipAddress"] = address
	}
}

// machineDown notes that a guest has ended by itself.
func (a *machineAPI) machineDown(r *resource) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	r.vm.power = powerStopped
}

// findMachine finds the virtual machine of a call.
func (a *machineAPI) findMachine(c *call) (*resource, error) {
	r, err := a.store.find(c.target)
	if err == nil && r.state == stateDeleting {
		err = arm.Refuse(http.StatusConflict, "OperationNotAllowed",
			"Operation is not allowed on VM '%s' since the VM is marked for deletion.", c.target.Names[0])
	}
	return r, err
}

// stop shuts a guest down.
func (a *machineAPI) stop(c *call, power string) (*reply, error) {
	if strings.EqualFold(c.query.Get("hibernate"), "true") {
		return nil, arm.Unsupported("hibernation")
	}
	a.store.mu.Lock()
	r, err := a.findMachine(c)
	a.store.mu.Unlock()
	if err != nil {
		return nil, err
	}
	op := a.work.begin(c, "InProgress", func(_ context.Context, fail error) error {
		if fail != nil {
			return fail
		}
		a.guests.Shutdown(r.disk)
		a.store.mu.Lock()
		defer a.store.mu.Unlock()
		r.vm.power = power
		return nil
	})
	return a.work.started(c, op, http.StatusAccepted, nil), nil
}

// generalize marks a machine as one that can be captured and never started again.
func (a *machineAPI) generalize(c *call) (*reply, error) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	r, err := a.findMachine(c)
	if err != nil {
		return nil, err
	}
	if r.vm.power != powerStopped && r.vm.power != powerDeallocated {
		return nil, arm.Refuse(http.StatusConflict, "OperationNotAllowed",
			"The VM '%s' must be stopped before it can be generalized; it is %s.", c.target.Names[0], r.vm.power)
	}
	r.vm.generalized = true
	return &reply{status: http.StatusOK}, nil
}
