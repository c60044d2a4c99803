// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:11:42Z
// Spec: openspec/specs/runner/spec.md#requirement-plan-stage
// Diagram: openspec/specs/runner/diagram.md#stages

package plan

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/runner/gate"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Plan says which targets of a request would be built, and why. It reads
// templates, configuration and state, asks Packer for its version, and
// changes nothing. Findings that block are in the plan; only what leaves no
// plan to be made is an error. With a base it compares with that commit, and
// asks neither the state nor Packer.
func (s Stage) Plan(ctx context.Context, req hybridcore.Request) (hybridcore.Plan, error) {
	if err := s.Project.Pinned(ctx, req); err != nil {
		return hybridcore.Plan{}, err
	}
	wanted := func(string) bool { return true }
	if req.RetryFailed != "" {
		var err error
		if wanted, err = s.failedIn(ctx, &req); err != nil {
			return hybridcore.Plan{}, err
		}
	}
	p, err := s.planning(ctx, req)
	if err != nil {
		return hybridcore.Plan{}, err
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
	if req.Action == hybridcore.ActionPlan || req.Action == hybridcore.ActionDrift {
		p.plan.Unsupported, p.plan.Removed = p.unsupported(), p.removed()
		for i, f := range p.plan.Findings {
			if f.Kind == sources.KindPlugin {
				p.plan.Findings[i].Hint = project.Portable(f.Hint)
			}
		}
	}
	p.plan.Findings, err = s.Project.Accept(ctx, hybridcore.Distinct(p.plan.Findings), nil)
	return p.plan, err
}

// planning reads what the targets of a request share.
func (s Stage) planning(ctx context.Context, req hybridcore.Request) (*planning, error) {
	t, err := s.workingTree(req.Env)
	if err != nil {
		return nil, err
	}
	req.Env = t.env.Name
	if err := s.Project.RefuseProd(req, t.env); err != nil {
		return nil, err
	}
	commit, unknown := s.Project.Commit(ctx)
	var found gate.Leaks
	if req.Action != hybridcore.ActionDrift { // it does nothing with the files but compare them
		if found, err = s.Project.Leaks(ctx); err != nil {
			return nil, err
		}
	}
	p := &planning{
		leaks: found, project: s.Project, now: t, req: req, commits: map[string]fs.FS{}, lines: map[string]int{},
		plan: hybridcore.Plan{
			Request: req, Commit: commit, Targets: []hybridcore.PlannedTarget{},
			Versions: map[string]string{}, Findings: t.set.Warnings(),
		},
	}
	p.plan.Findings = slices.Concat(p.plan.Findings, unknown, sources.Check(s.Project.Config.Root), found.Findings)
	if compares(req, t.env) {
		p.head = readHead(ctx, s.Project, commit, t)
	}
	if req.Base != "" {
		return p, p.readBase(ctx)
	}
	if s.Project.State == nil {
		return p, nil
	}
	if p.snapshot, err = s.Project.State.Read(ctx); err != nil {
		return p, err
	}
	clocks, err := state.Clocks(ctx, s.Project.State)
	p.plan.Findings = append(p.plan.Findings, clocks...)
	return p, err
}

// workingTree is the project as it is on disk.
func (s Stage) workingTree(name string) (*tree, error) {
	env, err := s.Project.Config.Environment(name)
	if err != nil {
		return nil, err
	}
	set, root, err := s.Project.Templates()
	if err != nil {
		return nil, err
	}
	lock, err := sources.Load(s.Project.Config.Root)
	if err != nil {
		lock = sources.Lock{} // sources.Check says what is wrong with it
	}
	return &tree{files: root.FS(), env: env, set: set, reader: config.NewReader(root), lock: lock}, nil
}

func (p *planning) removed() []hybridcore.Removed {
	if p.base != nil {
		return p.removedSinceBase()
	}
	return p.removedSinceRecord()
}

// failedIn limits a request to the targets of a run that did not succeed, in
// that run's environment.
func (s Stage) failedIn(ctx context.Context, req *hybridcore.Request) (func(name string) bool, error) {
	record, err := s.Project.State.Record(ctx, req.RetryFailed)
	if err != nil {
		return nil, err
	}
	if record.Request.Action != hybridcore.ActionBuild {
		return nil, hybridcore.Usagef("run %s was a %s and built nothing: run %s again", record.RunID, record.Request.Action,
			record.Request.Action)
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

// pairs lists what a request means: named images and platforms must fit each
// other and the environment; what is not named is everything that does.
func (p *planning) pairs() ([]pair, error) {
	for _, platform := range p.req.Platforms {
		if !p.now.env.Has(platform) {
			return nil, hybridcore.Usagef("the environment %s has no %s; %s lists its platforms", p.now.env.Name,
				platform.Info().Title, config.FileName)
		}
	}
	images := p.now.set.Images()
	if len(p.req.Images) > 0 {
		images = nil
		for _, name := range p.req.Images {
			image, err := p.now.set.Image(name)
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
			return nil, hybridcore.Usagef("the image %s is made for none of the platforms of %s", image.Name, p.now.env.Name)
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
		if named && p.now.env.Has(platform) {
			found = append(found, platform)
		}
	}
	return found
}

// add plans one target.
func (p *planning) add(ctx context.Context, which pair) error {
	target, findings, err := p.now.resolve(which, p.project.Environ)
	if wrong, ok := errors.AsType[*hybridcore.FindingsError](err); ok {
		p.plan.Findings = append(p.plan.Findings, p.leaks.Others(wrong.Findings)...)
		return nil
	}
	if err != nil {
		return err
	}
	findings = append(p.leaks.Others(p.keep(target, findings)),
		templates.CheckNames(target, project.ArtifactName(target.Image.Name, sampleRunID))...)
	p.plan.Findings = append(p.plan.Findings, findings...)
	for name, value := range target.Secrets() {
		for _, w := range p.project.Redactor.Add(redact.Secret{Name: name, Value: value}) {
			p.plan.Findings = append(p.plan.Findings, hybridcore.Finding{
				Kind: "redaction", Subject: name, Severity: hybridcore.Warning, Message: w.String(),
			})
		}
	}
	if p.base != nil {
		pins := p.now.pins(target)
		maps.Copy(p.plan.Versions, pins)
		target.Seal(pins)
		p.plan.Targets = append(p.plan.Targets, p.compare(ctx, target))
		return nil
	}
	versions, err := p.versions(ctx, target)
	if err != nil {
		return err
	}
	if p.req.Live() {
		p.plan.Findings = append(p.plan.Findings, p.endpoints(target)...)
	}
	target.Seal(p.withLab(target, versions))
	if !p.req.InProcess() {
		p.plan.Findings = append(p.plan.Findings, standInGuest(target)...)
	}
	planned := p.decide(ctx, target)
	planned.Wrong = findings
	if p.head != nil {
		planned.Checkout = p.head.compare(target)
		if p.now.env.Clean && !planned.Checkout.Clean() {
			p.plan.Findings = append(p.plan.Findings, refused(p.req.Action, p.now.env, planned.Checkout)...)
		}
	}
	p.plan.Targets = append(p.plan.Targets, planned)
	return nil
}

// sampleRunID is as long as every run's.
const sampleRunID = "20261122t224501-1a2b3c4d"

// keep drops findings about missing connection variables from a plan: it
// connects to nothing, and credentials are not at hand where it runs. A publish
// reaches the platform, and no guest.
func (p *planning) keep(target hybridcore.Target, findings []hybridcore.Finding) []hybridcore.Finding {
	live := p.req.Live() && p.project.Connect != nil
	guest := live && p.req.Action != hybridcore.ActionPublish
	return slices.DeleteFunc(findings, func(f hybridcore.Finding) bool {
		missing := f.Kind == hybridcore.KindVariable && f.Got == "" && target.Platform.IsConnection(f.Subject)
		return missing && !guest && (!live || hybridcore.IsGuest(f.Subject))
	})
}

// versions asks for Packer and the platform's plugins. A plan goes on without
// them: it says so, and takes versions for unchanged. A build is blocked, after
// everything else that is wrong was found. A validation inside this process
// needs neither.
func (p *planning) versions(ctx context.Context, target hybridcore.Target) (map[string]string, error) {
	if p.req.InProcess() {
		return nil, nil
	}
	tool, err := p.project.Tools.Packer(ctx)
	if err != nil {
		return nil, p.withoutTool(err)
	}
	plugins, err := p.project.Tools.Installed(tool, p.now.set.Plugins(target))
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
	f := hybridcore.Finding{
		Kind: "tool", Subject: "packer", Severity: hybridcore.Warning,
		Message: "versions are not compared: " + project.Portable(p.project.Redact(err.Error())),
	}
	var missing *hybridcore.BlockedError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case p.req.Action == hybridcore.ActionPlan, p.req.Action == hybridcore.ActionPublish,
		p.req.Action == hybridcore.ActionDrift:
	case errors.As(err, &missing):
		f.Severity, f.Blocking, f.Message = hybridcore.Error, true, p.project.Redact(err.Error())
	default:
		return err
	}
	p.plan.Findings = append(p.plan.Findings, f)
	return nil
}
