// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:05:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-validate-needs-no-packer
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package plan

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/untrusted"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Check validates the targets of a plan inside this process: it starts neither
// Packer nor a plugin, needs no credentials and contacts nothing. It returns
// the findings of the plan and its own, sorted by place. With a policy, the
// tree counts as written by somebody who is not trusted. Before plugins check a
// plan (hybridcore.WithPlugins), those that were never asked for their schemas
// are asked, once.
func (s Stage) Check(
	ctx context.Context, plan hybridcore.Plan, policy *untrusted.Policy,
) ([]hybridcore.Finding, error) {
	if err := ctx.Err(); err != nil {
		return nil, err //nolint:wrapcheck // the caller knows that it cancelled
	}
	if plan.Request.With == hybridcore.WithPlugins && policy == nil {
		s.learn(ctx, plan)
	}
	set, root, err := s.Project.Templates()
	if err != nil {
		return nil, err
	}
	env, err := s.Project.Config.Environment(plan.Request.Env)
	if err != nil {
		return nil, err
	}
	in := validate.Input{Files: map[string][]byte{}, Parsed: set.Parsed(), Policy: policy, Schemas: s.schemas(set, plan)}
	for _, platform := range hybridcore.Platforms() {
		for _, choice := range set.Choice(platform.Name) {
			in.Used = append(in.Used, choice.Name) // read before Packer is
		}
	}
	paths := set.HCLFiles()
	for _, planned := range plan.Targets {
		in.Targets = append(in.Targets, validate.Target{Target: planned.Target, Prod: env.Prod})
		for _, file := range planned.Target.Files {
			paths = append(paths, file.From)
		}
		for _, layer := range set.LayerFiles(planned.Target.Image, planned.Target.Platform, planned.Target.Env) {
			paths = append(paths, layer.File)
		}
	}
	slices.Sort(paths)
	var findings []hybridcore.Finding
	for _, path := range slices.Compact(paths) {
		if file := in.Parsed[path]; file != nil {
			in.Files[path] = file.Source // as it was planned
			continue
		}
		content, err := hclfile.Bytes(root, path, templates.Content())
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			findings = append(findings, hclfile.Findings(path, err)...)
		default:
			in.Files[path] = content
		}
	}
	leaks, err := s.Project.Leaks(ctx)
	if err != nil {
		return nil, err
	}
	return s.accept(ctx, plan.Request, in, merge(append(plan.Findings, findings...), leaks.Others(validate.Check(in))))
}

// accept lets pass what is waived. A validation of all targets also says which waivers of the
// files that it looked at are stale.
func (s Stage) accept(
	ctx context.Context, req hybridcore.Request, in validate.Input, findings []hybridcore.Finding,
) ([]hybridcore.Finding, error) {
	whole := in.Policy == nil && len(req.Images)+len(req.Platforms) == 0 && req.RetryFailed == ""
	return s.Project.Accept(ctx, findings, func(w waivers.Waiver) bool {
		_, looked := in.Files[w.Subject]
		return whole && w.Kind == waivers.Found && looked
	})
}

// schemas are those of the installed plugins that the targets of a plan
// require, as far as they are known.
func (s Stage) schemas(set *templates.Set, plan hybridcore.Plan) schemas.Set {
	var all schemas.Set
	if !s.Project.Tools.Schemas.Any() {
		return all
	}
	seen := map[project.Need]bool{}
	for _, planned := range plan.Targets {
		for _, p := range set.Plugins(planned.Target) {
			need := project.Need{Address: p.Source, Constraint: p.Version}
			if seen[need] {
				continue
			}
			seen[need] = true
			address, known := s.Project.Tools.Schemas.Known(packer.Requirement{Addresses: p.Addresses(), Constraint: p.Version})
			if address == "" {
				continue
			}
			if err := all.Add(address, known); err != nil {
				s.Project.Log.Warn("the kept schemas of a plugin are damaged; its embedded ones are taken", "plugin", address,
					"error", err)
			}
		}
	}
	return all
}

// merge joins findings; of two that block at one line, the first one stays:
// it was made with more knowledge of the layers.
func merge(first, second []hybridcore.Finding) []hybridcore.Finding {
	type place struct {
		file string
		line int
	}
	taken := map[place]bool{}
	for _, f := range first {
		if f.Blocking && f.File != "" {
			taken[place{f.File, f.Line}] = true
		}
	}
	merged := slices.Clone(first)
	for _, f := range second {
		if !taken[place{f.File, f.Line}] {
			merged = append(merged, f)
		}
	}
	return hybridcore.Distinct(merged)
}
