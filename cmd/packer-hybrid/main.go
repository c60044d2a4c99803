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

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
)

func main() {
	a := app{Frame: cli.OfProcess()}
	os.Exit(a.run(context.Background(), os.Args[1:]))
}
