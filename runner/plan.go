// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:11:42Z
// Spec: openspec/specs/runner/spec.md#requirement-plan-stage
// Diagram: openspec/specs/runner/diagram.md#stages

package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
)

// planning is what the targets of one plan share.
type planning struct {
	*Runner
	req      hybridcore.Request
	env      config.Environment
	set      *templates.Set
	reader   *config.Reader
	snapshot hybridcore.Snapshot
	lock     sources.Lock
	plan     hybridcore.Plan
}

// Plan says which targets of a request would be built, and why. It reads
// templates, configuration and state, asks Packer for its version, and
// changes nothing. Findings that block are in the plan; only what leaves no
// plan to be made is an error.
func (r *Runner) Plan(ctx context.Context, req hybridcore.Request) (hybridcore.Plan, error) {
	wanted := func(string) bool { return true }
	if req.RetryFailed != "" {
		var err error
		if wanted, err = r.failedIn(ctx, &req); err != nil {
			return hybridcore.Plan{}, err
		}
	}
	env, err := r.Project.Environment(req.Env)
	if err != nil {
		return hybridcore.Plan{}, err
	}
	req.Env = env.Name
	set, root, err := r.templates()
	if err != nil {
		return hybridcore.Plan{}, err
	}
	snapshot, err := r.State.Read(ctx)
	if err != nil {
		return hybridcore.Plan{}, err
	}
	p := &planning{
		Runner: r, req: req, env: env, set: set, reader: config.NewReader(root), snapshot: snapshot,
		plan: hybridcore.Plan{Request: req, Commit: head(r.Project.Root), Versions: map[string]string{}, Findings: set.Warnings()},
	}
	p.plan.Findings = append(p.plan.Findings, sources.Check(r.Project.Root)...)
	if p.lock, err = sources.Load(r.Project.Root); err != nil {
		p.lock = sources.Lock{} // there is none, or the findings say what is wrong with it
	}
	pairs, err := p.pairs()
	if err != nil {
		return hybridcore.Plan{}, err
	}
	for _, pair := range pairs {
		if !wanted(hybridcore.TargetName(pair.image, pair.platform)) {
			continue
		}
		if err := p.add(ctx, pair); err != nil {
			return hybridcore.Plan{}, err
		}
	}
	p.plan.Findings = unique(p.plan.Findings)
	return p.plan, nil
}

// failedIn limits a request to the targets of a run that did not succeed, in
// that run's environment.
func (r *Runner) failedIn(ctx context.Context, req *hybridcore.Request) (func(name string) bool, error) {
	record, err := r.State.Record(ctx, req.RetryFailed)
	if err != nil {
		return nil, err
	}
	if req.Env != "" && req.Env != record.Request.Env {
		return nil, hybridcore.Usagef("run %s was for %s, not for %s", record.RunID, record.Request.Env, req.Env)
	}
	req.Env = record.Request.Env
	failed := map[string]bool{}
	for _, res := range record.Results {
		switch res.Status {
		case hybridcore.Failed, hybridcore.Cancelled, hybridcore.BlockedStatus:
			failed[res.Target] = true
		}
	}
	if len(failed) == 0 {
		return nil, hybridcore.Usagef("every target of run %s succeeded: there is nothing to retry", record.RunID)
	}
	return func(name string) bool { return failed[name] }, nil
}

// pair is one image on one platform.
type pair struct {
	image    string
	platform hybridcore.Platform
}

// pairs lists what a request means: named images and platforms must fit each
// other and the environment; what is not named is everything that does.
func (p *planning) pairs() ([]pair, error) {
	for _, platform := range p.req.Platforms {
		if !p.env.Has(platform) {
			return nil, hybridcore.Usagef("the environment %s has no %s; %s lists its platforms", p.env.Name, platform.Info().Title, config.FileName)
		}
	}
	images := p.set.Images()
	if len(p.req.Images) > 0 {
		images = nil
		for _, name := range p.req.Images {
			image, err := p.set.Image(name)
			if err != nil {
				return nil, err
			}
			images = append(images, image)
		}
	}
	var pairs []pair
	for _, image := range images {
		platforms := p.platforms(image)
		if len(platforms) == 0 && len(p.req.Images) > 0 {
			return nil, hybridcore.Usagef("the image %s is made for none of the platforms of %s", image.Name, p.env.Name)
		}
		for _, platform := range platforms {
			pairs = append(pairs, pair{image.Name, platform})
		}
	}
	return pairs, nil
}

// platforms lists those that an image is planned for. A platform that the
// request names together with the image stays in, so that an unsupported pair
// is refused with its reason.
func (p *planning) platforms(image hybridcore.Image) []hybridcore.Platform {
	if len(p.req.Images) > 0 && len(p.req.Platforms) > 0 {
		return p.req.Platforms
	}
	var found []hybridcore.Platform
	for _, platform := range image.Platforms {
		named := len(p.req.Platforms) == 0 || slices.Contains(p.req.Platforms, platform)
		if named && p.env.Has(platform) {
			found = append(found, platform)
		}
	}
	return found
}

// add plans one target.
func (p *planning) add(ctx context.Context, which pair) error {
	image, err := p.set.Image(which.image)
	if err != nil {
		return err
	}
	layers, findings := p.reader.Layers(p.set.LayerFiles(image, which.platform, p.env.Name))
	p.plan.Findings = append(p.plan.Findings, findings...)
	in := config.Input{Platform: which.platform, Env: p.env.Name, Layers: layers, Environ: p.Environ}
	target, err := p.set.Target(which.image, which.platform, p.env.Name, p.from(in))
	if wrong, ok := errors.AsType[*hybridcore.FindingsError](err); ok {
		p.plan.Findings = append(p.plan.Findings, wrong.Findings...)
		return nil
	}
	if err != nil {
		return err
	}
	in.Run, in.Declarations, in.Elsewhere = runValues(target, "", "", ""), p.set.Declarations(target), p.set.Elsewhere(target)
	target.Variables, findings = config.Resolve(in)
	p.plan.Findings = append(p.plan.Findings, p.keep(target, findings)...)
	for name, value := range target.Secrets() {
		for _, w := range p.Redactor.Add(logs.Secret{Name: name, Value: value}) {
			p.plan.Findings = append(p.plan.Findings, hybridcore.Finding{
				Kind: "redaction", Subject: name, Severity: hybridcore.Warning, Message: w.String(),
			})
		}
	}
	p.plan.Findings = append(p.plan.Findings, templates.CheckNames(target, artifactName(target.Image.Name, sampleRunID))...)
	versions, err := p.versions(ctx, target)
	if err != nil {
		return err
	}
	target.Seal(versions)
	var current *hybridcore.Current
	if c, ok := p.snapshot.Targets[target.Key()]; ok {
		current = &c
	}
	p.plan.Targets = append(p.plan.Targets, decide(target, current, p.req.Rebuild))
	return nil
}

// sampleRunID is as long as every run's.
const sampleRunID = "20261122t224501-1a2b3c4d"

// from reads what a target's builds start from ahead of its other variables:
// it decides which these are. What is wrong with it is found with the others.
func (p *planning) from(in config.Input) hybridcore.Variable {
	in.Declarations = p.set.Choice(in.Platform)
	variables, _ := config.Resolve(in)
	if len(variables) == 0 {
		return hybridcore.Variable{}
	}
	return variables[0]
}

// keep drops findings about missing connection variables from a plan: it
// connects to nothing, and credentials are not at hand where it runs.
func (p *planning) keep(target hybridcore.Target, findings []hybridcore.Finding) []hybridcore.Finding {
	if p.req.Action != hybridcore.ActionPlan {
		return findings
	}
	return slices.DeleteFunc(findings, func(f hybridcore.Finding) bool {
		return f.Kind == hybridcore.KindVariable && f.Got == "" && target.Platform.IsConnection(f.Subject)
	})
}

// versions asks for Packer and the platform's plugins. A plan goes on without
// them: it says so, and takes versions for unchanged. A build is blocked, after
// everything else that is wrong was found.
func (p *planning) versions(ctx context.Context, target hybridcore.Target) (map[string]string, error) {
	tool, err := p.packerTool(ctx)
	if err != nil {
		return nil, p.withoutTool(err)
	}
	plugins, err := p.installed(tool, p.set.Plugins(target))
	if err != nil {
		return nil, p.withoutTool(err)
	}
	p.plan.Findings = append(p.plan.Findings, p.gate(plugins)...)
	versions := map[string]string{"packer": tool.Version}
	for _, plugin := range plugins {
		versions["plugin:"+plugin.Address] = plugin.Version
	}
	maps.Copy(p.plan.Versions, versions)
	return versions, nil
}

func (p *planning) withoutTool(err error) error {
	f := hybridcore.Finding{Kind: "tool", Subject: "packer", Severity: hybridcore.Warning, Message: "versions are not compared: " + p.redact(err.Error())}
	var missing *hybridcore.BlockedError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case p.req.Action == hybridcore.ActionPlan:
	case errors.As(err, &missing):
		f.Severity, f.Blocking, f.Message = hybridcore.Error, true, p.redact(err.Error())
	default:
		return err
	}
	p.plan.Findings = append(p.plan.Findings, f)
	return nil
}

// runValues are the values that differ from run to run, as JSON. A plan takes
// them empty: they go into no digest.
func runValues(t hybridcore.Target, runID, manifest, inventory string) map[string]string {
	artifact := ""
	if runID != "" {
		artifact = artifactName(t.Image.Name, runID)
	}
	values := map[string]string{}
	for name, text := range map[string]string{
		"run_id": runID, "image": t.Image.Name, "environment": t.Env, "artifact_name": artifact,
		"manifest_path": manifest, "inventory_path": inventory,
	} {
		encoded, err := json.Marshal(text)
		if err != nil {
			panic(fmt.Sprintf("runner: a string does not encode: %v", err))
		}
		values[name] = string(encoded)
	}
	return values
}

// withRun sets the run's values in a copy of the variables.
func withRun(variables []hybridcore.Variable, values map[string]string) []hybridcore.Variable {
	set := slices.Clone(variables)
	for i, v := range set {
		if value, ok := values[v.Name]; ok {
			set[i].JSON = value
			set[i].Layers = []hybridcore.Layer{{Name: config.LayerRun, Value: value}}
		}
	}
	return set
}

// unique drops findings that several targets share.
func unique(findings []hybridcore.Finding) []hybridcore.Finding {
	seen := map[hybridcore.Finding]bool{}
	return slices.DeleteFunc(findings, func(f hybridcore.Finding) bool {
		if seen[f] {
			return true
		}
		seen[f] = true
		return false
	})
}
