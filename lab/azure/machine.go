// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:38Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#one-build

package azure

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// bootTimeout bounds the boot of a guest, which takes less than a second on an idle machine.
const bootTimeout = 2 * time.Minute

// Power states of a virtual machine.
const (
	powerStarting    = "starting"
	powerRunning     = "running"
	powerStopped     = "stopped"
	powerDeallocated = "deallocated"
)

// machine is what a virtual machine has besides its resource.
type machine struct {
	nicID       string
	power       string
	generalized bool
	gone        chan struct{} // closed when it is deleted
	left        sync.Once
}

// leave says that the machine is deleted.
func (m *machine) leave() { m.left.Do(func() { close(m.gone) }) }

// view is the instance view of a machine.
func (m *machine) view() map[string]any {
	statuses := []any{
		map[string]any{"code": "ProvisioningState/succeeded", "level": "Info"},
		map[string]any{"code": "PowerState/" + m.power, "level": "Info"},
	}
	if m.generalized {
		statuses = append(statuses, map[string]any{"code": "OSState/generalized", "level": "Info"})
	}
	return map[string]any{"statuses": statuses}
}

// createMachine makes a virtual machine with its disk, and returns when its guest is up.
func (s *Server) createMachine(ctx context.Context, t target, body map[string]any) error {
	p := readProfile(object(body, "properties"))
	r, err := s.addMachine(t, body, p)
	if err != nil {
		return err
	}
	guest := Guest{Disk: r.disk, Hostname: p.computer, User: p.user, Password: p.password, Keys: p.keys}
	up, down := make(chan struct{}, 1), make(chan struct{}, 1)
	s.config.Guests.Boot(guest,
		func(address string) { s.machineUp(r, address); signal(up) },
		func() { s.machineDown(r); signal(down) })
	late := time.NewTimer(bootTimeout)
	defer late.Stop()
	select {
	case <-up:
		s.setState(r, stateSucceeded)
		return nil
	case <-down:
		err = refuse(http.StatusConflict, "OSProvisioningInternalError",
			"OS Provisioning failed for VM '%s': its guest did not start.", t.names[0])
	case <-late.C:
		err = refuse(http.StatusConflict, "OSProvisioningTimedOut",
			"OS Provisioning for VM '%s' did not finish in the allotted time.", t.names[0])
	case <-r.vm.gone:
		return refuse(http.StatusConflict, "OperationPreempted", "The operation was preempted by the deletion of VM '%s'.",
			t.names[0])
	case <-ctx.Done():
		return fmt.Errorf("creating a virtual machine: %w", context.Cause(ctx))
	}
	s.setState(r, stateFailed)
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
func (s *Server) addMachine(t target, body map[string]any, p profile) (*resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.usableGroup(t.group)
	if err != nil {
		return nil, err
	}
	if _, exists := g.resources[t.key()]; exists {
		return nil, refuse(http.StatusConflict, "PropertyChangeNotAllowed",
			"The lab does not change virtual machines that exist: '%s'.", t.names[0])
	}
	if nic, err := s.findID(p.nicID); err != nil || nic.target.kind != kindNIC {
		return nil, refuse(http.StatusBadRequest, "InvalidResourceReference",
			"Resource %s referenced by resource %s was not found.", clip(p.nicID), t.id())
	}
	name := p.diskName
	if name == "" {
		name = t.names[0] + "_OsDisk_1"
	}
	disk := t
	disk.kind, disk.names = kindDisk, []string{name}
	if _, exists := g.resources[disk.key()]; exists {
		return nil, refuse(http.StatusConflict, "ConflictingUserInput", "Disk '%s' already exists in resource group '%s'.",
			name, g.name)
	}
	kept := s.add(g, disk, map[string]any{
		"location": body["location"], "tags": body["tags"], "sku": map[string]any{"name": "Standard_LRS"},
		"properties": map[string]any{"osType": "Linux", "creationData": map[string]any{"createOption": "FromImage"}},
	})
	kept.state, kept.disk = stateSucceeded, s.newDisk()

	properties := object(body, "properties")
	properties["vmId"] = guid()
	delete(object(properties, "osProfile"), "adminPassword")
	system := object(properties, "storageProfile", "osDisk")
	system["name"], system["osType"] = name, "Linux"
	object(system, "managedDisk")["id"] = disk.id()
	r := s.add(g, t, body)
	r.disk, r.vm = kept.disk, &machine{nicID: p.nicID, power: powerStarting, gone: make(chan struct{})}
	return r, nil
}

// guid makes a random identifier as Azure has them.
func guid() string {
	var id [16]byte
	_, _ = rand.Read(id[:])                         // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4, RFC 9562
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// machineUp stores the address at which a guest is reached: the private and the public one are the same.
func (s *Server) machineUp(r *resource, address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.vm.power = powerRunning
	nic, err := s.findID(r.vm.nicID)
	if err != nil {
		return // deleted in the meantime
	}
	if configuration, ok := firstConfiguration(nic).(map[string]any); ok {
		configuration["privateIPAddress"] = address
	}
	if public, err := s.findID(publicIPOf(nic)); err == nil {
		object(public.body, "properties")["ipAddress"] = address
	}
}

// machineDown notes that a guest has ended by itself.
func (s *Server) machineDown(r *resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.vm.power = powerStopped
}

// findMachine finds the virtual machine of a call.
func (s *Server) findMachine(c *call) (*resource, error) {
	r, err := s.find(c.target)
	if err == nil && r.state == stateDeleting {
		err = refuse(http.StatusConflict, "OperationNotAllowed",
			"Operation is not allowed on VM '%s' since the VM is marked for deletion.", c.target.names[0])
	}
	return r, err
}

// stopMachine shuts a guest down.
func (s *Server) stopMachine(c *call, power string) (*reply, error) {
	if strings.EqualFold(c.query.Get("hibernate"), "true") {
		return nil, unsupported("hibernation")
	}
	s.mu.Lock()
	r, err := s.findMachine(c)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	op := s.begin(c, "InProgress", func(_ context.Context, fail error) error {
		if fail != nil {
			return fail
		}
		s.config.Guests.Shutdown(r.disk)
		s.mu.Lock()
		defer s.mu.Unlock()
		r.vm.power = power
		return nil
	})
	return s.started(c, op, http.StatusAccepted, nil), nil
}

// generalize marks a machine as one that can be captured and never started again.
func (s *Server) generalize(c *call) (*reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.findMachine(c)
	if err != nil {
		return nil, err
	}
	if r.vm.power != powerStopped && r.vm.power != powerDeallocated {
		return nil, refuse(http.StatusConflict, "OperationNotAllowed",
			"The VM '%s' must be stopped before it can be generalized; it is %s.", c.target.names[0], r.vm.power)
	}
	r.vm.generalized = true
	return &reply{status: http.StatusOK}, nil
}
