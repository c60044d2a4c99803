// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:05:50Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#one-build

package azure

// Guest is what a virtual machine is booted with.
type Guest struct {
	Disk     string // identifies the guest and its disk
	Hostname string
	User     string   // administrator, made at first boot
	Password string   // empty: keys only
	Keys     []string // authorized_keys lines of the administrator, and of nobody else
}

// Guests runs virtual machines.
type Guests interface {
	// Boot starts a guest in the background, with an empty disk over the Marketplace image. It calls up with
	// the address when SSH is served, and down when the guest ended by itself or could not start.
	Boot(guest Guest, up func(address string), down func())
	// Shutdown ends a guest in an orderly way and returns when it is gone.
	Shutdown(disk string)
	// PowerOff ends a guest at once and returns when it is gone.
	PowerOff(disk string)
}

// Disks keeps what virtual machines and images hold.
type Disks interface {
	// Copy makes a new disk with the content of another, whose guest does not run.
	Copy(from, to string) error
	// Remove removes a disk. Copies of it stay whole.
	Remove(disk string) error
	// Delta is the directory with what the disk changes against the Marketplace image.
	Delta(disk string) string
}
