// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:00:00Z
// Spec: openspec/specs/runner/spec.md#requirement-a-process-opens-the-project
// Diagram: openspec/specs/runner/diagram.md#layers-of-the-runner

package process

import (
	"cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
)

// Repository is that of the checkout.
func (p Process) Repository() (*git.Repository, error) {
	root, err := config.FindRoot(cmp.Or(p.Dir, "."))
	if err != nil {
		return nil, err
	}
	return git.Open(root, p.Environ)
}

// Top is the folder of the project, or where there is none the current one.
func (p Process) Top() string {
	dir := cmp.Or(p.Dir, ".")
	if root, err := config.FindRoot(dir); err == nil {
		return root
	}
	return dir
}
