// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:16:59Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs-of-a-state
// Diagram: openspec/specs/cli/diagram.md#one-command

// Package stateverbs are the verbs of packer-hybrid for whoever looks after a state:
// `packer-hybrid state` and `packer-hybrid lease`.
package stateverbs

import (
	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/runner/process"
)

// Commands are state and lease.
func Commands(of func() process.Process, on func() process.Screen) []*cobra.Command {
	v := verbs{of, on}
	return []*cobra.Command{v.state(), v.lease()}
}
