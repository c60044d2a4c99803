// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:19:00Z
// Spec: openspec/specs/posting/spec.md#requirement-what-a-dead-run-left
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/checks/post"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// flushCmd sends what runs have not reported.
func (a *app) flushCmd() *cobra.Command {
	var within time.Duration
	cmd := &cobra.Command{
		Use: "flush", Short: "Send reports to GitHub or GitLab that runs could not send",
		Long: `Flush sends the checks and comments that are left in the outboxes of runs,
logs/RUN/*` + post.FileName + `, and ends the checks of runs that were killed.
Runs that go on are left alone. It needs GITHUB_TOKEN, and GITHUB_API_URL for a
GitHub of your own; or GITLAB_TOKEN, and CI_API_V4_URL for a GitLab of your own.
What still cannot be sent is said and kept; that is no failure, since a report
decides nothing.`,
		Example: `  packer-hybrid flush
  packer-hybrid flush --within 30s`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			project, err := a.project()
			if err != nil {
				return err
			}
			if within <= 0 {
				return hybridcore.Usagef("--within is %s: it must be longer than nothing", within)
			}
			ends := time.Now().Add(within)
			var left []string
			tokens := 0
			for _, access := range []post.Access{a.access(), a.gitlabAccess()} {
				if access.Token == "" {
					continue
				}
				tokens++
				more, err := post.Flush(cmd.Context(), filepath.Join(project.Root, "logs"), access, time.Until(ends), post.WithLog(a.faulty))
				if err != nil {
					return fmt.Errorf("sending reports: %w", err)
				}
				left = append(left, more...)
			}
			if tokens == 0 {
				return hybridcore.Usagef("flush needs GITHUB_TOKEN, a token that may write checks and pull requests, or GITLAB_TOKEN, a project access token with the scope api")
			}
			for _, line := range left {
				_, _ = fmt.Fprintf(a.Err, "warning: %s\n", hybridcore.Sanitize(line))
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&within, "within", 2*time.Minute, "time for all of it; what is left then is kept")
	return cmd
}
