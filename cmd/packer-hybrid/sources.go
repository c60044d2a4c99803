// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:25:00Z
// Spec: openspec/specs/sources/spec.md#requirement-exactly-the-pinned-commits
// Diagram: openspec/specs/sources/diagram.md#sync

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
)

func (a *app) sourcesCmd() *cobra.Command {
	cmd := cli.Group(&cobra.Command{
		Use: "sources", Short: "Fetch and check the pinned upstream repositories and plugins",
		Long: `Sources works on the repositories and plugins that sources/sources.lock.hcl pins.
A build refuses sources that were changed, moved or are unknown; missing ones do
not matter to it.`,
		Example: `  packer-hybrid sources sync
  packer-hybrid sources status`,
	})
	cmd.AddCommand(a.sourcesSyncCmd(), a.sourcesStatusCmd(), a.sourcesLockCmd())
	return cmd
}

func (a *app) sourcesSyncCmd() *cobra.Command {
	s := sources.Syncer{Environ: a.Environ}
	cmd := &cobra.Command{
		Use: "sync [NAME...]", Short: "Fetch exactly the pinned commits",
		Long: `Sync brings the named sources, or all, to the commits of the lock: by hash,
without history, verified, each put in place by one rename. What is at its pin
already is not touched.

A mirror is a directory with OWNER+NAME/repo, OWNER/NAME.git or NAME.git in it,
or an https URL in which {owner} and {repo} are replaced; without them /NAME.git
is added. The pins hold for a mirror too.`,
		Example: `  packer-hybrid sources sync
  packer-hybrid sources sync packer-plugin-azure --mirror https://git.example.com/mirrors/{owner}/{repo}.git`,
		RunE: func(cmd *cobra.Command, args []string) error {
			project, err := a.process().Project()
			if err != nil {
				return err
			}
			s.Root = project.Root
			if a.Output != "json" {
				s.Progress = a.screen().Synced
				if a.Style(a.Raw.Err).Live {
					s.Started = func(name string) { _, _ = fmt.Fprintf(a.Err, "fetching   %s …\n", name) }
				}
			}
			results, failure := s.Sync(cmd.Context(), args)
			if a.Output == "json" && results != nil {
				answer := process.SourcesAnswer{Synced: results}
				if failure != nil {
					answer.Error = failure.Error()
				}
				return errors.Join(a.screen().AnswerSources(answer), exitOf(failure))
			}
			return failure
		},
	}
	cmd.Flags().StringVar(&s.Mirror, "mirror", "", "directory or https URL to fetch from instead")
	cmd.Flags().BoolVar(&s.Force, "force", false, "compare every file, and replace checkouts that hold changes")
	return cmd
}

// exitOf ends with the code of an error that was told already.
func exitOf(err error) error {
	if err == nil {
		return nil
	}
	return hybridcore.Exit(hybridcore.ExitCode(err))
}

func (a *app) sourcesStatusCmd() *cobra.Command {
	s := sources.Syncer{Environ: a.Environ}
	online := false
	cmd := &cobra.Command{
		Use: "status", Short: "Say which sources are missing, changed or at another commit",
		Long: `Status compares every file of each checkout with its pinned commit. It starts no
program and believes nothing that a checkout's .git says. With --online it also
asks where the tags point now.

Exit code 3 when something would block a build; missing sources do not.`,
		Example: `  packer-hybrid sources status
  packer-hybrid sources status --online --output json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			project, err := a.process().Project()
			if err != nil {
				return err
			}
			list, findings, err := sources.Inspect(project.Root)
			if err != nil {
				return err
			}
			if online {
				s.Root = project.Root
				moved, err := s.Upstream(cmd.Context())
				if err != nil {
					return err
				}
				findings = append(findings, moved...)
			}
			if err := a.screen().ReportSources(list, findings); err != nil {
				return err
			}
			if hybridcore.Blocked(findings) != hybridcore.NotBlocked {
				return hybridcore.Exit(hybridcore.ExitBlocked)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&online, "online", false, "also ask whether a tag was moved")
	cmd.Flags().StringVar(&s.Mirror, "mirror", "", "directory or https URL to ask instead")
	return cmd
}

func (a *app) sourcesLockCmd() *cobra.Command {
	return &cobra.Command{
		Use: "lock PATH...", Short: "Write version and sha256 of plugin binaries into the lock",
		Long: `Lock hashes the plugin binaries at or below each path of a Packer plugin tree and
writes them into the lock; hashes of the same version are kept, for a binary
built from source differs with the Go version that built it.`,
		Example: `  packer-hybrid sources lock ~/.config/packer/plugins
  packer-hybrid sources lock plugins/github.com/hashicorp/vsphere`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return hybridcore.Usagef("lock needs the path of a plugin or of a plugin tree")
			}
			project, err := a.process().Project()
			if err != nil {
				return err
			}
			var found []sources.Binary
			for _, path := range args {
				binaries, err := sources.Binaries(path)
				if err != nil {
					return err
				}
				found = append(found, binaries...)
			}
			locked, err := sources.LockPlugins(project.Root, found)
			if err != nil {
				return err
			}
			if a.Output == "json" {
				return a.screen().AnswerSources(process.SourcesAnswer{Locked: locked})
			}
			text := "nothing to add: the lock has them all\n"
			if len(locked) > 0 {
				text = "locked  " + strings.Join(locked, "\nlocked  ") + "\n"
			}
			if _, err := io.WriteString(a.Out, text); err != nil {
				return fmt.Errorf("writing the answer: %w", err)
			}
			return nil
		},
	}
}
