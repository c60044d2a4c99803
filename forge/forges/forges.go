// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:06:00Z
// Spec: openspec/specs/repository/spec.md#requirement-forges
// Diagram: openspec/specs/repository/diagram.md#layers

// Package forges is the table of the platforms of code hosting that there are, each
// from its own folder.
package forges

import (
	"strings"

	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/forge/gitlab"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// All are the forges, in the order in which they are named.
func All() []forge.Forge {
	return []forge.Forge{
		github.Forge(),
		gitlab.Forge(),
	}
}

// Shared are the names of the forges that take jobs for other machines.
func Shared() []string {
	return names(func(f forge.Forge) bool { return f.Jobs.Share != nil })
}

// Run are the names of the forges that can be asked for runs.
func Run() []string {
	return names(func(f forge.Forge) bool { return f.Runs.Open != nil })
}

// Events are those that the bot takes, from each forge that sends any.
func Events(getenv forge.Getenv) (sources []dispatch.Source) {
	for _, f := range All() {
		if f.Runs.Events != nil {
			sources = append(sources, f.Runs.Events(getenv))
		}
	}
	return sources
}

// Workspaces are the folders of checkouts that the environment names.
func Workspaces(getenv forge.Getenv) (folders []string) {
	for _, f := range All() {
		folders = append(folders, getenv(f.Jobs.Workspace))
	}
	return folders
}

// Prefixes are what the variables of the forges begin with.
func Prefixes() (prefixes []string) {
	for _, f := range All() {
		prefixes = append(prefixes, f.Prefix)
	}
	return prefixes
}

func names(of func(forge.Forge) bool) (found []string) {
	for _, f := range All() {
		if of(f) {
			found = append(found, f.Name)
		}
	}
	return found
}

// Named finds a forge by its name.
func Named(name string) (forge.Forge, bool) {
	for _, f := range All() {
		if f.Name == name {
			return f, true
		}
	}
	return forge.Forge{}, false
}

// Detect says of which forge this process is a job. It gives a UsageError when that
// is none, or several.
func Detect(getenv forge.Getenv) (forge.Forge, error) {
	var here []forge.Forge
	var variables []string
	for _, f := range All() {
		variables = append(variables, f.Jobs.Sign)
		if f.Jobs.Here(getenv) {
			here = append(here, f)
		}
	}
	switch last := len(variables) - 1; len(here) {
	case 0:
		return forge.Forge{}, hybridcore.Usagef("this is no CI job: neither %s nor %s is true; at a terminal use the verbs "+
			"plan, validate and build", strings.Join(variables[:last], ", "), variables[last])
	case 1:
		return here[0], nil
	default:
		return forge.Forge{}, hybridcore.Usagef("both %s and %s are true: unset the one of the system that this job does "+
			"not run in", here[0].Jobs.Sign, here[1].Jobs.Sign)
	}
}
