// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:58:07Z
// Spec: openspec/specs/plan/spec.md#requirement-explain-a-variable
// Diagram: openspec/specs/plan/diagram.md#layers

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
)

// explainCmd shows where the value of a variable comes from.
func (a *app) explainCmd() *cobra.Command {
	req := hybridcore.Request{Origin: hybridcore.Origin{Kind: "cli"}}
	cmd := &cobra.Command{
		Use: "explain VAR --os IMAGE --platform PLATFORM", Short: "Show where the value of a variable comes from",
		Long: `Explain prints every layer that can set a variable of one target, what each
sets, and which one wins, with file and line. Secrets are not shown.`,
		Example: `  packer-hybrid explain vm_cpu_count --os debian-12 --platform vsphere
  packer-hybrid explain vm_cpu_count --os debian-12 --platform proxmox --env prod --output json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return hybridcore.Usagef("explain takes the name of one variable, got %d", len(args))
			}
			if err := command.Finish(&req, nil); err != nil {
				return fmt.Errorf("explain: %w", err)
			}
			req.Action, req.Variable = hybridcore.ActionExplain, args[0]
			_, err := a.process().Do(cmd.Context(), req, a.screen())
			return err
		},
	}
	command.BindCommon(cmd.Flags(), &req)
	return cmd
}
