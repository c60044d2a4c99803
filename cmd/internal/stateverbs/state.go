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
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

func (v verbs) state() *cobra.Command {
	cmd := cli.Group(&cobra.Command{
		Use: "state", Short: "Check, move, copy and repair the state",
		Long: `State looks after what runs have recorded: the objects of docs/state.md. Nothing
that is there is ever written over.`,
		Example: `  packer-hybrid state check
  packer-hybrid state pull /backup/state-2026-12-01`,
	})
	cmd.AddCommand(v.check(), v.migrate(), v.pull(), v.push(), v.copy())
	return cmd
}

func (v verbs) check() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Read every object of the state, and what it says of others",
		Long: `Check reads every object: its form, format version and checksum, whether what it
refers to is there and is what it was, and whether anything else lies there. It
changes nothing.

Exit code 3 when something is wrong. An attachment whose run has no record is
told, and is no fault: a run was killed, or is about to record it.`,
		Example: `  packer-hybrid state check
  packer-hybrid state check --output json`,
		Args: cli.NoArgs,
		RunE: v.about(false, func([]string) (work, error) { return checkState, nil }),
	}
}

func (v verbs) migrate() *cobra.Command {
	return &cobra.Command{
		Use: "migrate FROM TO", Short: "Copy a state to another backend, and compare both",
		Long: `Migrate copies every object from one state to another, then reads both anew and
compares them. Addresses are those that PACKER_HYBRID_STATE takes: the whole path
of a folder, git+ADDRESS#REF, or the address of a bucket. The source stays as it
is; set the block state of the project file to the target afterwards.

It is refused while a run holds a lease, and when the target holds another state.
After an interruption run it again: what was copied is not copied twice.`,
		Example: `  packer-hybrid state migrate /srv/images/state git+https://github.com/example/images-state.git
  packer-hybrid state migrate git+git@example.com:images.git#refs/heads/state /srv/images/state`,
		Args: exactly(2, "FROM and TO"), ValidArgsFunction: folders(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return migrateState(cmd.Context(), v.process(), v.screen(), args[0], args[1])
		},
	}
}

func (v verbs) pull() *cobra.Command {
	return &cobra.Command{
		Use: "pull DIR", Short: "Copy the state into a new folder",
		Long: `Pull copies every object into an empty folder, as the backend for a directory lays
them out: a backup, or something to repair. Runs may be at work meanwhile. Damaged
objects are copied as they are. PACKER_HYBRID_STATE=DIR shows the copy.`,
		Example: `  packer-hybrid state pull /backup/state-2026-12-01
  PACKER_HYBRID_STATE=/backup/state-2026-12-01 packer-hybrid state check`,
		Args: exactly(1, "the folder"), ValidArgsFunction: folders(1),
		RunE: v.about(false, inFolder(pullState)),
	}
}

func (v verbs) push() *cobra.Command {
	return &cobra.Command{
		Use: "push DIR", Short: "Put back what the state lacks of a copy",
		Long: `Push puts the objects of a folder that the state does not have. Where the newest
snapshot or lease of the state is refused, the newest one of the folder that can be
used is put under the next number. Nothing is written over: an object that is
another one in the state stays, is named, and the exit code is 3, as for one of
the folder that cannot be used. A copy of another state is refused.`,
		Example: `  packer-hybrid state push /backup/state-2026-12-01`,
		Args:    exactly(1, "the folder"), ValidArgsFunction: folders(1),
		RunE: v.about(true, inFolder(pushState)),
	}
}

func (v verbs) copy() *cobra.Command {
	return &cobra.Command{
		Use: "copy FROM TO", Short: "Copy one object of the state to another name",
		Long: `Copy gives the content of an object another name, which nothing has yet: the way
back that a refused snapshot names. An object that would not be usable under that
name is refused.`,
		Example: `  packer-hybrid state copy snapshot/00000041 snapshot/00000043`,
		Args:    exactly(2, "FROM and TO"), ValidArgsFunction: v.objects,
		RunE: v.about(true, func(args []string) (work, error) {
			return copyObject(args[0], args[1]), nil
		}),
	}
}

// inFolder is a verb that has a folder as its argument.
func inFolder(verb func(dir string) work) func(args []string) (work, error) {
	return func(args []string) (work, error) {
		dir, err := folder(args[0])
		return verb(dir), err
	}
}

// objects completes the name of an object that is there.
func (v verbs) objects(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return v.looked(cmd, func(ctx context.Context, s *state.Store) (found []string) {
		for name, err := range s.Objects().List(ctx, "") {
			if err == nil && strings.HasPrefix(name, begun) && len(found) < 500 {
				found = append(found, name)
			}
		}
		return found
	})
}
