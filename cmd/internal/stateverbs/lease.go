// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:16:59Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs-of-a-state
// Diagram: openspec/specs/cli/diagram.md#one-command

package stateverbs

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

func (v verbs) lease() *cobra.Command {
	cmd := cli.Group(&cobra.Command{
		Use: "lease", Short: "Release the lease of a run that does not live any more",
		Long: `A run holds a lease for each target that it works on. It ends by itself: at once
when its process has ended on this host, and ten minutes after its last renewal
when its host is gone. packer-hybrid status shows the leases.`,
		Example: `  packer-hybrid status
  packer-hybrid lease release debian-12@vsphere --env prod --reason "host ci-3 burnt down"`,
	})
	cmd.AddCommand(v.release())
	return cmd
}

func (v verbs) release() *cobra.Command {
	verb := command.Free()
	req := hybridcore.Request{Action: verb.Action, Origin: hybridcore.Origin{Kind: "cli"}}
	cmd := &cobra.Command{
		Use: "release " + verb.Args, Short: verb.Short, Long: verb.Long, Example: verb.Example,
		Args: exactly(1, "the target"), ValidArgsFunction: v.held,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := command.Finish(&req, args); err != nil {
				return err
			}
			_, err := v.process().Do(cmd.Context(), req, v.screen())
			return err
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&req.Env, "env", "e", "", "environment: a folder under configs/ (default: the project's)")
	verb.Bind(fs, &req)
	fs.BoolVar(&req.Force, "force", false, "also when the holder renewed its lease a short time ago")
	return cmd
}

// held completes the targets that somebody holds.
func (v verbs) held(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return v.looked(cmd, func(ctx context.Context, s *state.Store) (found []string) {
		leases, _ := s.Leases(ctx) // the others are there
		for _, l := range leases {
			if l.Phase != hybridcore.PhaseReleased {
				found = append(found, l.Key+"\trun "+l.RunID+" of "+l.Owner)
			}
		}
		return found
	})
}
