// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:10:00Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-life-of-a-virtual-machine
// Diagram: openspec/specs/lab-proxmox/diagram.md#life-of-a-machine

package proxmox

// Account is whom the first boot of a machine makes, as its installer or cloud-init would.
type Account struct {
	User     string   // empty: the lab's build user
	Password string   // empty: none
	Keys     []string // in authorized_keys format
}

// Hardware runs virtual machines. A reference names one from its creation to its removal.
type Hardware interface {
	Machine(ref string) Machine
	Clone(source, clone string) error // gives clone the disk of source
	Remove(ref string) error          // with its disk; does nothing when there is none
}

// Machine is one virtual machine's hardware.
type Machine interface {
	// PowerOn boots the guest in the background. up is called with its IP address when SSH is served
	// there, down when it ended by itself or could not start.
	PowerOn(boot Boot, up func(address string), down func())
	Shutdown() // asks the guest to power off and returns when it is gone
	PowerOff() // at once, and returns when it is gone
}

// Boot is how a machine boots.
type Boot struct {
	Name      string  // of the virtual machine
	CloudInit bool    // a cloud-init drive is attached
	Account   Account // of the first boot
}
