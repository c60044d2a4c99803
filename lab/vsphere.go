// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:58:40Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package lab

import (
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/lab/vsphere"
)

// startVSphere starts a vCenter whose machines are the lab's.
func startVSphere(all *machines, keys trust) (*vsphere.Server, error) {
	server, err := vsphere.Start(vsphere.Config{
		Hardware: vsphereHardware{all}, Disks: vsphereHardware{all}, Password: newSecret("vcenter"), Dir: all.dir.path,
		Media: isoFiles, TLS: keys.config, AuthorityFile: keys.authorityFile, Log: all.logf,
	})
	if err != nil {
		return nil, fmt.Errorf("starting vCenter: %w", err)
	}
	return server, nil
}

// vsphereEnv is the part of a lab's environment that leads to its vCenter.
func vsphereEnv(server *vsphere.Server) []string {
	return []string{
		"PKR_VAR_vsphere_endpoint=" + server.Endpoint(),
		"PKR_VAR_vsphere_username=" + vsphere.User,
		"PKR_VAR_vsphere_password=" + server.Password(),
		"PKR_VAR_vsphere_insecure_connection=false",
	}
}

// vsphereHardware gives the lab's machines to vCenter.
type vsphereHardware struct{ machines *machines }

// Machine returns the hardware of a virtual machine.
func (h vsphereHardware) Machine(ref string) vsphere.Machine {
	return vsphereMachine{h.machines.of(ref)}
}

// Clone gives clone the disk of source.
func (h vsphereHardware) Clone(source, clone string) error { return h.machines.cloned(source, clone) }

// Remove removes a machine and its disk.
func (h vsphereHardware) Remove(ref string) error { return h.machines.removed(ref) }

// Delta is what the guest wrote.
func (h vsphereHardware) Delta(ref string) string { return h.machines.of(ref).delta() }

// vsphereMachine is one machine.
type vsphereMachine struct{ *machine }

// PowerOn boots the guest.
func (m vsphereMachine) PowerOn(name string, up func(address string), down func()) {
	m.powerOn(name, up, down)
}

// Shutdown ends the guest in an orderly way.
func (m vsphereMachine) Shutdown() { m.shutdown() }

// PowerOff ends the guest at once.
func (m vsphereMachine) PowerOff() { m.powerOff() }
