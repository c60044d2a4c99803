// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:45:00Z
// Spec: openspec/specs/runner/spec.md#requirement-publish-all-or-none
// Diagram: openspec/specs/runner/diagram.md#publish

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner"
)

// publish answers the verb publish, and exports what is released.
func (a *app) publish(ctx context.Context, r *runner.Runner, req hybridcore.Request) error {
	return a.execute(ctx, r, req, func(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
		record, err := r.Publish(ctx, plan)
		if err != nil || record.Release == nil {
			return record, err
		}
		err = a.artifact(r.Project.Root, "release.json", func(w io.Writer) error {
			return checks.WriteJSON(w, checks.Document{Release: record.Release})
		})
		if err != nil {
			return record, fmt.Errorf("the release is published, but artifacts/release.json is not written: %w; run publish again", err)
		}
		return record, nil
	})
}

// artifact makes one file below artifacts/ of a project, redacted. The folder
// may be a link that a change brought: nothing outside of the project is touched.
func (a *app) artifact(project, name string, render func(io.Writer) error) error {
	root, err := os.OpenRoot(project)
	if err != nil {
		return fmt.Errorf("opening the project: %w", err)
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	file := path.Join(artifacts, name)
	if err := root.MkdirAll(path.Dir(file), 0o755); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	if err := root.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("replacing the file: %w", err)
	}
	f, err := root.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	w := a.Redactor.Writer(f)
	return errors.Join(render(w), w.Close(), f.Close())
}
