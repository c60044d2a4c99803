// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T16:00:00Z
// Spec: openspec/specs/drift/spec.md#requirement-a-look-in-parts
// Diagram: openspec/specs/drift/diagram.md#a-look-in-parts

// Package near does a verb that a job for each platform does, near it and with its
// credentials, and the one job that puts together what these hand over.
package near

import (
	"io"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Job is one of these jobs, for one request.
type Job struct {
	Process  process.Process
	Runner   *runner.Runner
	Screen   process.Screen
	Pin      project.JobPin
	Platform hybridcore.Platform   // that the job reaches; empty: it puts together
	All      []hybridcore.Platform // that the jobs of the request reach
	From     string                // folder of what they handed over
	// Summary adds Markdown to the page of the run, and Try keeps what went wrong with a report.
	Summary func(markdown string) error
	Try     func(what string, err error)
}

// hand writes a file for the job that puts together.
func (j Job) hand(name string, data []byte) error {
	return j.Process.Artifact(j.Runner.Project.Config.Root, name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err //nolint:wrapcheck // Artifact names the file
	})
}
