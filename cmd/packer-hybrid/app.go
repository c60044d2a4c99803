// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:03:42Z
// Spec: openspec/specs/cli/spec.md#requirement-streams
// Diagram: openspec/specs/cli/diagram.md#one-command

package main

import (
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/runner/job"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
)

// app is one invocation: its frame and the flags of its own verbs.
type app struct {
	cli.Frame

	dir        string // --chdir
	matrix     string // --matrix of plan: github or gitlab
	verbose    bool
	packerPath string
	pluginDirs []string

	posting []post.Option // how reports are sent, beside the redaction
}

// process is what this invocation opens projects with.
func (a *app) process() process.Process {
	return process.Process{
		Environ: a.Environ, Dir: a.dir, PackerPath: a.packerPath, PluginDirs: a.pluginDirs, Version: cli.Version(),
		Redactor: a.Redactor, Notes: a.Err, Log: a.Raw.Err, Color: a.Style(a.Raw.Err).Color, Hurry: a.Hurry,
	}
}

// screen is where it shows answers.
func (a *app) screen() process.Screen {
	s := process.Screen{
		Out: a.Out, Err: a.Err, OutStyle: a.Style(a.Raw.Out), ErrStyle: a.Style(a.Raw.Err), Live: a.Raw.Out,
		Output: a.Output, Document: a.JSON, Matrix: a.matrix, Verbose: a.verbose,
	}
	if a.Output == "json" {
		s.Live = a.Raw.Err
	}
	return s
}

// host is what it does jobs with.
func (a *app) host() *job.Host {
	return &job.Host{Process: a.process(), Screen: a.screen(), Raw: a.Raw.Out, Posting: a.posting}
}
