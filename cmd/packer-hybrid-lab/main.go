// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:35:26Z
// Spec: openspec/specs/lab/spec.md#requirement-a-program-of-its-own
// Diagram: openspec/specs/lab/diagram.md#two-programs

// Command packer-hybrid-lab simulates Proxmox VE, VMware vSphere and Microsoft
// Azure, with guests, on one machine: it is what `packer-hybrid lab` runs.
package main

import "github.com/packer-hybrid/packer-hybrid/cmd/internal/labverbs"

func main() { labverbs.Main() }
