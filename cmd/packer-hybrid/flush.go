// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:19:00Z
// Spec: openspec/specs/posting/spec.md#requirement-what-a-dead-run-left
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// flushCmd sends what runs have not reported.
func (a *app) flushCmd() *cobra.Command {
	var within time.Duration
	cmd := &cobra.Command{
		Use: "flush", Short: "Send reports to GitHub or GitLab that runs could not send",
		Long: `Flush sends the checks and comments that are left in the outboxes of CI jobs,
and ends the checks of runs that were killed. Runs that go on are left alone. It
needs GITHUB_TOKEN, and GITHUB_API_URL for a GitHub of your own; or GITLAB_TOKEN,
and CI_API_V4_URL for a GitLab of your own. What still cannot be sent is said and
kept; that is no failure, since a report decides nothing.

Outboxes lie where no checkout reaches them, in a folder of this user alone:
RUNNER_TEMP/packer-hybrid/outbox/RUN/*` + post.FileName + `, and without RUNNER_TEMP,
as on GitLab, in packer-hybrid-UID/ of TMPDIR or /tmp. Set the same variable to
send at a terminal what a job left. A file of that name in the project is not sent:
it may have come with the checkout. With GITHUB_REPOSITORY or CI_PROJECT_PATH only
the reports of that repository are sent.`,
		Example: `  packer-hybrid flush
  packer-hybrid flush --within 30s`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if within <= 0 {
				return hybridcore.Usagef("--within is %s: it must be longer than nothing", within)
			}
			h := a.host()
			left, err := h.Flush(cmd.Context(), within)
			if err != nil {
				return err
			}
			for _, line := range left {
				_, _ = fmt.Fprintf(a.Err, "warning: %s\n", text.Sanitize(line))
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&within, "within", 2*time.Minute, "time for all of it; what is left then is kept")
	return cmd
}
