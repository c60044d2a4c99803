// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:26:41Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

// Package lab simulates the platforms that golden images are built on: a vCenter, a Proxmox VE and an Azure
// that the real plugins of Packer drive, and guests that really run what provisioners send them. It needs
// Linux and root, and no hypervisor.
//
// Start makes a lab; Env is the environment that a command needs to use it; Close ends it. A program that
// starts labs must call Main before anything else, because guests are the program's own binary re-executed.
//
// What is simulated: the platforms' objects and tasks (vCenter's by govmomi's simulator), the boot of a
// virtual machine (the installer's work is done in an instant: the media are not read, typed keys are
// recorded), and the guest's kernel, network and devices. What is real: the disk's contents, users, packages,
// SSH, SFTP and power-off.
package lab
