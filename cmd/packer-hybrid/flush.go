// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:19:00Z
// Spec: openspec/specs/posting/spec.md#requirement-what-a-dead-run-left
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/checks/post"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
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
			root := a.top()
			dir, err := a.jobDir(root)
			if err != nil {
				return err
			}
			left := strays(root)
			ends := time.Now().Add(within)
			tokens := 0
			for _, access := range []post.Access{a.access(), a.gitlabAccess()} {
				if access.Token == "" {
					continue
				}
				tokens++
				more, err := post.Flush(cmd.Context(), outboxes(dir), access, time.Until(ends))
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

// top is the folder of the project, or where there is none the current one.
func (a *app) top() string {
	dir := cmp.Or(a.dir, ".")
	if root, err := config.FindRoot(dir); err == nil {
		return root
	}
	return dir
}

// maxStrays bounds the files that are told of.
const maxStrays = 20

// strays tells of files in the project that are named like outboxes.
func strays(root string) (said []string) {
	logs, err := safefile.ViewFolder(root, "logs")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return []string{"logs/ of the project is not looked at: " + err.Error()}
	}
	defer logs.Close()                                  //nolint:errcheck // nothing is written through it
	found, _ := fs.Glob(logs.FS(), "*/*"+post.FileName) // the pattern is well formed
	for _, name := range found[:min(len(found), maxStrays)] {
		said = append(said, "logs/"+name+" is not sent: it lies in the project, where a checkout can put files; jobs keep their reports outside of it")
	}
	return said
}
