// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:45:00Z
// Spec: openspec/specs/runner/spec.md#requirement-publish-all-or-none
// Diagram: openspec/specs/runner/diagram.md#publish

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner"
)

// publish answers the verb publish, or does this job's part of it.
func (a *app) publish(ctx context.Context, r *runner.Runner, req hybridcore.Request) error {
	if a.phase != nil {
		return a.phase.publish(ctx, a, r, req)
	}
	return a.execute(ctx, r, req, a.exported(r, r.Publish))
}

// exported writes artifacts/release.json of what a stage released.
func (a *app) exported(r *runner.Runner, stage func(context.Context, hybridcore.Plan) (hybridcore.Record, error),
) func(context.Context, hybridcore.Plan) (hybridcore.Record, error) {
	return func(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
		record, err := stage(ctx, plan)
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
	}
}
