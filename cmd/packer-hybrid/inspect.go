// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:05:17Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs
// Diagram: openspec/specs/cli/diagram.md#one-command

package main

import (
	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// inspectCmd shows one run.
func (a *app) inspectCmd() *cobra.Command {
	return &cobra.Command{
		Use: "inspect [RUN]", Short: "Show the record of one run, the last one by default",
		Long: `Inspect prints what one run did: request, versions, and for each target its
steps, artifact, inventory and inputs.`,
		Example: `  packer-hybrid inspect
  packer-hybrid inspect 20261122t224501-1a2b3c4d --output json`,
		Args: maxOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			req := hybridcore.Request{Action: hybridcore.ActionInspect, Origin: hybridcore.Origin{Kind: "cli"}}
			if len(args) == 1 {
				req.Record = args[0]
			}
			_, err := a.process().Do(cmd.Context(), req, a.screen())
			return err
		},
	}
}

// maxOne refuses a second argument with a usage error.
func maxOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return hybridcore.Usagef("%s takes at most one argument, got %d", cmd.Name(), len(args))
	}
	return nil
}
