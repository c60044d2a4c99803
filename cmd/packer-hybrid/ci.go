// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:34:00Z
// Spec: openspec/specs/ci/spec.md#requirement-the-verb-ci
// Diagram: openspec/specs/ci/diagram.md#the-verb

package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/job"
)

// ciCmd does what the event of a CI job asks for.
func (a *app) ciCmd() *cobra.Command {
	var own job.Kind
	cmd := &cobra.Command{
		Use: "ci", Short: "Do what the event of this CI job asks for, and report there",
		Long: ciLong, Example: ciExample,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.Output != "text" {
				return hybridcore.Usagef("ci writes JSON to artifacts/; leave --output out")
			}
			return a.host().Run(cmd.Context(), own)
		},
	}
	bindKind(cmd, &own)
	return cmd
}

// jobCmd does one run that the bot has started on this machine.
func (a *app) jobCmd() *cobra.Command {
	repository := ""
	cmd := &cobra.Command{
		Use: "job DIR", Short: "Do a run that packer-hybrid bot has started on this machine", Hidden: true,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.host().Local(cmd.Context(), args[0], repository)
		},
	}
	cmd.Flags().StringVar(&repository, "repository", "", "Git repository of the project")
	return cmd
}

// bindKind says by flags which of a run's jobs this one is.
func bindKind(cmd *cobra.Command, s *job.Kind) {
	fs := cmd.Flags()
	fs.BoolVar(&s.Decide, "decide", false,
		"only decide what this run is to do, and for whom: the outputs that all later jobs go by")
	fs.BoolVar(&s.Plan, "plan", false,
		"do what needs no platform, and plan the build: the output matrix, or pipeline.yml, has the jobs that build")
	fs.BoolVar(&s.Part, "part", false, "build the one target that "+ci.TargetVariable+" and "+ci.DigestVariable+" name")
	fs.StringArrayVar(&s.Collect, "collect", nil,
		"only collect a build from these folders, in which other jobs left its parts")
	fs.StringVar(&s.Release, "release", "", "only do this phase of a release: "+strings.Join(job.ReleasePhases, ", "))
	fs.BoolVar(&s.Reap, "reap", false,
		"only remove what dead runs left on the platform that "+ci.PlatformVariable+" names; with --from report what jobs "+
			"did so")
	fs.BoolVar(&s.Drift, "drift", false,
		"only look for what is built on the platform that "+ci.PlatformVariable+" names; with --from put together what jobs "+
			"found so, with all else that drift looks at")
	fs.StringVar(&s.From, "from", "", "folder of what other jobs handed over, for --release, --reap and --drift")
	fs.BoolVar(&s.Next, "next", false, "start the run for the next environment of a merge, once it was approved")
	fs.BoolVar(&s.Hold, "hold", false, "keep the report of a change in artifacts/report, and send nothing")
	fs.StringVar(&s.Report, "report", "", "only send the report of a change that another job kept in this folder")
}
