// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:16:59Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs-of-a-state
// Diagram: openspec/specs/cli/diagram.md#one-command

package stateverbs

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
)

// verbs are those of one invocation, by what its flags say once they are read.
type verbs struct {
	process func() process.Process
	screen  func() process.Screen
}

// verb is what a command does.
type verb func(*cobra.Command, []string) error

// about runs a verb on the state of the project.
func (v verbs) about(writes bool, do func(args []string) (work, error)) verb {
	return func(cmd *cobra.Command, args []string) error {
		about, err := do(args)
		if err != nil {
			return err
		}
		return onState(cmd.Context(), v.process(), v.screen(), writes, about)
	}
}

// exactly refuses another number of arguments with a usage error.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return hybridcore.Usagef("%s takes %s, got %d arguments; see %s --help", cmd.Name(), what, len(args),
				cmd.CommandPath())
		}
		return nil
	}
}

// folders completes so many arguments that are folders.
func folders(n int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
}

// looked completes by what is in the state.
func (v verbs) looked(cmd *cobra.Command, look func(context.Context, *state.Store) []string) (
	[]string, cobra.ShellCompDirective,
) {
	r, done, err := v.process().View()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer done()
	return look(cmd.Context(), r.Project.State), cobra.ShellCompDirectiveNoFileComp
}
