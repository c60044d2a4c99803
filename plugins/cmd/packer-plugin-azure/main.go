// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:38:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-says-what-it-is
// Diagram: openspec/specs/stand-ins/diagram.md#parts

// Command packer-plugin-azure is the lab's stand-in for the Packer plugin of that name.
package main

import (
	"fmt"
	"os"

	"github.com/hashicorp/packer-plugin-sdk/plugin"

	"github.com/packer-hybrid/packer-hybrid/plugins/azure"
)

func main() {
	set := plugin.NewSet()
	set.RegisterBuilder("arm", new(azure.Builder))
	set.SetVersion(azure.Plugin().PluginVersion())
	if err := set.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
