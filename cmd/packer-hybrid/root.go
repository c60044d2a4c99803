// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/cli/spec.md#requirement-streams
// Diagram: openspec/specs/cli/diagram.md#one-command

package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/stateverbs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
)

func (a *app) root() *cobra.Command {
	cmd := a.Root(&cobra.Command{
		Use:   "packer-hybrid",
		Short: "Identical golden images for Proxmox VE, VMware vSphere and Microsoft Azure",
		Long: `packer-hybrid builds identical golden images for Proxmox VE, VMware vSphere and
Microsoft Azure from one Packer codebase, and proves that they are identical.

Exit codes: 0 done, 1 a target failed, 2 wrong arguments, configuration or
templates, 3 blocked (drift, policy, lock, missing tool, leak), 4 changes are
pending (plan --detailed-exitcode), 130 cancelled.`,
		Example: `  packer-hybrid lab run -- packer-hybrid build debian-12 --env lab
  packer-hybrid plan --env prod
  packer-hybrid build ubuntu-24.04 --env prod --targets vsphere`,
	})
	fs := cmd.PersistentFlags()
	fs.StringVarP(&a.dir, "chdir", "C", "", "project directory (default: the nearest one above with a packer-hybrid.hcl)")
	fs.BoolVarP(&a.verbose, "verbose", "v", false, "show every line of the builder's output")
	fs.StringVar(&a.packerPath, "packer", "",
		"packer binary (default: packer on PATH, then the one that make tools built)")
	fs.StringSliceVar(&a.pluginDirs, "plugin-dir", nil, "Packer plugin tree to take plugins from, before the others")
	for _, verb := range command.Verbs() {
		if verb.Action != hybridcore.ActionFree { // it is one of the state's
			cmd.AddCommand(a.verb(verb))
		}
	}
	cmd.AddCommand(a.botCmd(), a.ciCmd(), a.explainCmd(), a.flushCmd(), a.fmtCmd(), a.initCmd(), a.inspectCmd(),
		a.jobCmd(), a.labCmd(), a.sourcesCmd(), a.versionCmd())
	cmd.AddCommand(stateverbs.Commands(a.process, a.screen)...)
	return cmd
}

// run is the whole program with these streams and this environment.
func run(ctx context.Context, std cli.Streams, args, environ []string) int {
	return (&app{Frame: cli.Frame{Raw: std, Environ: environ}}).run(ctx, args)
}

// run is the program with what a test has changed of it.
func (a *app) run(ctx context.Context, args []string) int { return a.Run(ctx, a.root, args) }
