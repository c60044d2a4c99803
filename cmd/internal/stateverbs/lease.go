// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:16:59Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs-of-a-state
// Diagram: openspec/specs/cli/diagram.md#one-command

package stateverbs

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
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
	req := hybridcore.Request{Action: hybridcore.ActionFree, Origin: hybridcore.Origin{Kind: "cli"}}
	cmd := &cobra.Command{
		Use: "release TARGET --reason TEXT", Short: "Release the lease of a target by force",
		Long: `Release gives a target free whose holder does not live any more, although nothing
tells so: its host is gone. Who did it, when and why is recorded; inspect shows the
record, and status the former holder's run, for which reap and the next build look.
A holder that lives after all learns of it, and its result does not count.

A holder that is known to live is never released: cancel it. One that renewed its
lease in the last two minutes is released with --force only.`,
		Example: `  packer-hybrid lease release debian-12@vsphere --reason "host ci-3 burnt down"
  packer-hybrid lease release debian-12@vsphere --env prod --reason "runner was deleted" --force`,
		Args: exactly(1, "the target"), ValidArgsFunction: v.held,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := target(&req, args[0]); err != nil {
				return err
			}
			_, err := v.process().Do(cmd.Context(), req, v.screen())
			return err
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&req.Env, "env", "e", "", "environment: a folder under configs/ (default: the project's)")
	fs.StringVar(&req.Origin.Reason, "reason", "", "why: it is recorded")
	fs.BoolVar(&req.Force, "force", false, "also when the holder renewed its lease a short time ago")
	return cmd
}

// target reads IMAGE@PLATFORM, or ENV/IMAGE@PLATFORM as status shows it.
func target(req *hybridcore.Request, text string) error {
	name := text
	if env, rest, found := strings.Cut(text, "/"); found {
		if req.Env != "" && req.Env != env {
			return hybridcore.Usagef("%.80s is not a target of the environment %.80s", text, req.Env)
		}
		req.Env, name = env, rest
	}
	image, platform, found := strings.Cut(name, "@")
	if !found {
		return hybridcore.Usagef("%.80q is no target: give IMAGE@PLATFORM, as packer-hybrid status shows it", text)
	}
	known, err := hybridcore.ParsePlatform(platform)
	if err == nil {
		err = hybridcore.CheckName("image", image)
	}
	req.Images, req.Platforms = []string{image}, []hybridcore.Platform{known}
	return err
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
