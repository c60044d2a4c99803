// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:03:42Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs
// Diagram: openspec/specs/cli/diagram.md#one-command

// Command packer-hybrid builds identical golden images for Proxmox VE, VMware
// vSphere and Microsoft Azure from one Packer codebase.
package main

import (
	"context"
	"os"

	"github.com/packer-hybrid/packer-hybrid/lab"
)

func main() {
	lab.Main() // does not return in a process that is a simulated guest
	os.Exit(run(context.Background(), streams{os.Stdin, os.Stdout, os.Stderr}, os.Args[1:], os.Environ()))
}
