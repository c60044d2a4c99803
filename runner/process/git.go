// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:00:00Z
// Spec: openspec/specs/runner/spec.md#requirement-a-process-opens-the-project
// Diagram: openspec/specs/runner/diagram.md#layers-of-the-runner

package process

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
)

// GitTime bounds one question to git, which reads the history of the clone.
const GitTime = time.Minute

// Repository is that of the checkout.
func (p Process) Repository() (*git.Repository, error) {
	root, err := config.FindRoot(cmp.Or(p.Dir, "."))
	if err != nil {
		return nil, err
	}
	return git.Open(root, p.Environ)
}

// Tracked are the files at or below a path of the project that came with a
// commit; none where the project is in no repository.
func (p Process) Tracked(ctx context.Context, name string) ([]string, error) {
	repo, err := p.Repository()
	if _, none := errors.AsType[*hybridcore.UsageError](err); none {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, GitTime)
	defer cancel()
	return repo.Tracked(ctx, name)
}

// Top is the folder of the project, or where there is none the current one.
func (p Process) Top() string {
	dir := cmp.Or(p.Dir, ".")
	if root, err := config.FindRoot(dir); err == nil {
		return root
	}
	return dir
}
