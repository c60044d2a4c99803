// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:08:00Z
// Spec: openspec/specs/parity/spec.md#requirement-reading-an-inventory
// Diagram: openspec/specs/parity/diagram.md#from-guest-to-record

package build

import (
	"errors"
	"fmt"
	"os"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/runner/compare"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// maxInventory bounds an inventory file: 100,000 packages take about 15 MiB.
const maxInventory = 64 << 20

// noInventory says of a build that nothing is known of its guest. It is not
// released.
func noInventory(t hybridcore.Target) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: "inventory", Subject: t.Name(), Severity: hybridcore.Warning,
		Message: "the build left no guest inventory: this image cannot be compared",
		Hint:    "keep the inventory provisioners at the end of templates/os/" + t.Image.OS + ".pkr.hcl",
	}
}

func (b *building) takeInventory() error {
	data, err := safefile.Read(b.inventoryPath(), maxInventory)
	if errors.Is(err, os.ErrNotExist) {
		b.result.Findings = append(b.result.Findings, noInventory(b.target))
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the guest's inventory: %w", err)
	}
	inventory, err := parity.Parse(data)
	if err != nil {
		return fmt.Errorf("the guest's inventory is not usable: %w", err)
	}
	guest, err := parity.Normalise(inventory)
	if err != nil {
		return fmt.Errorf("the guest's inventory is not usable: %w", err)
	}
	name := project.InventoryName(b.target.Name())
	b.run.mu.Lock()
	b.run.inventories[name] = data
	b.run.mu.Unlock()
	b.result.Inventory = b.run.inventory(name, data, len(inventory.Packages))
	found := compare.CheckSystem(b.target.Image, b.target.Platform, b.target.Inputs, guest)
	b.result.Findings = append(b.result.Findings, found...)
	if hybridcore.Blocked(found) != hybridcore.NotBlocked {
		return &compare.AnotherSystemError{Message: found[0].Message}
	}
	return nil
}

// inventory refers to a file of this run's record.
func (x *run) inventory(name string, data []byte, packages int) *hybridcore.Inventory {
	return &hybridcore.Inventory{File: "records/" + x.id + "/" + name, SHA256: parity.Digest(data), Packages: packages}
}
