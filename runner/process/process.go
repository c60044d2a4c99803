// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:00:00Z
// Spec: openspec/specs/runner/spec.md#requirement-a-process-opens-the-project
// Diagram: openspec/specs/runner/diagram.md#layers-of-the-runner

// Package process opens the project that a process works on, by its environment
// and flags: the project file, the state, tools, plugins, and where it may keep
// files. In a job of a CI system none of these lies where a checkout can put files.
package process

import (
	"io"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/untrusted"
	"github.com/packer-hybrid/packer-hybrid/runner/places"
)

// Process is one process, and how it was called.
type Process struct {
	Environ    []string // KEY=VALUE; the last one of a name wins, as in a shell
	Dir        string   // a folder in the project; empty for the current one
	PackerPath string   // Packer; empty for the first one found
	PluginDirs []string // looked at before all others
	Version    string   // of this build
	Redactor   *redact.Redactor
	Notes      io.Writer       // for people, redacted
	Log        io.Writer       // standard error as it is; what is logged there is redacted
	Color      bool            // of what is logged there
	Hurry      <-chan struct{} // closed: a cancelled Packer has no grace any more

	Policy *untrusted.Policy // of a tree whose author is not trusted; nil trusts it
	// State is that of the project in a job whose checkout nobody has reviewed: what a
	// change says of it does not count. Nil for what the project file says.
	State *config.State
	// Reviewed is the commit whose waivers count in a job whose checkout nobody has reviewed; empty for HEAD.
	Reviewed string
	Uploads  Uploads // folder of the files of a CI job; empty outside of one
}

// Getenv is the value of a variable, empty for none.
func (p Process) Getenv(name string) string { return p.Places().Getenv(name) }

// Places are where it may keep files.
func (p Process) Places() places.Env { return p.Environ }
