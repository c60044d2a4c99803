// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:17:17Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-discovery-and-tokens
// Diagram: openspec/specs/lab-azure/diagram.md#parts

// Package azure simulates Azure Resource Manager, as far as Packer's Azure plugin and our own clients look:
// tokens, resource groups, deployments, virtual machines, managed images and galleries.
//
// A deployment's template is really evaluated, and its virtual machine is a guest that the lab boots. What
// is not simulated is refused by name: Windows, custom data, extensions and images other than those of the
// Marketplace, each of which stands for the lab's root file system.
package azure
