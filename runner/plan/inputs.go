// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:27:30Z
// Spec: openspec/specs/bot/spec.md#requirement-the-approved-plan
// Diagram: openspec/specs/plan/diagram.md#two-trees

package plan

import (
	"context"
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
)

// CommitInputs are the inputs of the targets that a request means, by
// ENV/IMAGE@PLATFORM, as a commit has them: its staged files, the variables that
// its files set, and the plugin versions that its lock asks for. They are a
// function of the commit: no environment, Packer, credentials or state. A target
// that the commit does not make is not there.
func (s Stage) CommitInputs(ctx context.Context, req hybridcore.Request,
	commit string,
) (map[string]map[string]string, error) {
	repo, err := git.Open(s.Project.Config.Root, s.Project.Environ)
	if err != nil {
		return nil, err
	}
	if commit, err = repo.Resolve(ctx, commit); err != nil {
		return nil, err
	}
	files, err := repo.Tree(ctx, commit, config.FileName, templates.Dir, templates.ConfigsDir, sources.LockPath)
	if err != nil {
		return nil, err
	}
	t, err := readTree(files, req.Env)
	if err != nil {
		return nil, fmt.Errorf("reading the project of commit %.12s: %w", commit, err)
	}
	return t.inputs(req, nil)
}

// TreeInputs are the same of the files on disk, with what this process's
// environment sets of variables.
func (s Stage) TreeInputs(req hybridcore.Request) (map[string]map[string]string, error) {
	t, err := s.workingTree(req.Env)
	if err != nil {
		return nil, err
	}
	return t.inputs(req, s.Project.Environ)
}

// inputs are the inputs of the targets that a request means.
func (t *tree) inputs(req hybridcore.Request, environ []string) (map[string]map[string]string, error) {
	found := map[string]map[string]string{}
	for _, image := range t.set.Images() {
		for _, platform := range image.Platforms {
			which := pair{image.Name, platform}
			if !t.makes(image, platform) || !req.Wants(key(t.env.Name, which)) {
				continue
			}
			target, _, err := t.resolve(which, environ)
			if err != nil {
				return nil, err
			}
			target.Seal(t.pins(target))
			found[target.Key()] = target.Inputs
		}
	}
	return found, nil
}
