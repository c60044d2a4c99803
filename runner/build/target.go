// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:58:39Z
// Spec: openspec/specs/runner/spec.md#requirement-success-is-verified
// Diagram: openspec/specs/runner/diagram.md#stages

package build

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/runner/compare"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// target builds one target and never fails: whatever happens is its result.
func (x *run) target(ctx context.Context, t hybridcore.Target) hybridcore.Result {
	b := x.begin(t)
	ctx, held, err := x.acquire(ctx, t, b)
	if err != nil {
		return b.stopped(ctx, err)
	}
	done, err := b.open(true)
	if err != nil {
		return b.stopped(ctx, err)
	}
	defer done()
	job, err := b.stage()
	if err != nil {
		return b.stopped(ctx, err)
	}
	tools, err := plan.Stage{Project: x.project}.Tools(ctx, t)
	if err != nil {
		return b.stopped(ctx, err)
	}
	b.result.Provenance = provenance(x, t, job.Plugins, tools.Tools)
	if err := held.Update(ctx, hybridcore.PhaseRunning); err != nil {
		return b.stopped(ctx, err)
	}
	job.OnCancel = func() {
		b.event(hybridcore.EventNote, "cancelling: Packer removes what it created")
		b.journal(context.WithoutCancel(ctx), held, hybridcore.PhaseCancelling)
	}
	outcome, err := x.tool.Build(ctx, job)
	if err != nil {
		return b.stopped(ctx, err)
	}
	b.take(outcome)
	overtaken := lost(ctx)
	// Packer is done: a signal that arrives now must not lose what was built,
	// nor what is to be cleaned up.
	ctx = context.WithoutCancel(ctx)
	if outcome.Status != hybridcore.Built {
		b.cleanUp(ctx, held)
		if overtaken != nil {
			return b.end(hybridcore.Failed, overtaken.Error())
		}
		return b.finish(outcome.Status)
	}
	if err := b.verify(ctx, outcome); err != nil {
		b.cleanUp(ctx, held)
		status := hybridcore.Failed
		if _, another := errors.AsType[*compare.AnotherSystemError](err); another {
			status = hybridcore.BlockedStatus
		}
		return b.end(status, x.project.Redact(err.Error()))
	}
	return b.finish(hybridcore.Built)
}

// validate lets Packer check one target.
func (x *run) validate(ctx context.Context, t hybridcore.Target) hybridcore.Result {
	b := x.begin(t)
	done, err := b.open(false)
	if err != nil {
		return b.stopped(ctx, err)
	}
	defer done()
	job, err := b.stage()
	if err != nil {
		return b.stopped(ctx, err)
	}
	outcome, err := x.tool.Validate(ctx, job)
	if err != nil {
		return b.stopped(ctx, err)
	}
	b.take(outcome)
	return b.finish(outcome.Status)
}

// stage lays out what Packer needs and describes its job.
func (b *building) stage() (packer.Job, error) {
	dir := filepath.Join(b.scratch, "stage")
	manifest := filepath.Join(b.scratch, "manifest.json")
	b.target.Variables = plan.WithRun(b.target.Variables, plan.RunValues(b.target, b.run.id, manifest, b.inventoryPath()))
	set, root, err := b.run.project.Templates()
	if err != nil {
		return packer.Job{}, err
	}
	required := set.Plugins(b.target)
	plugins, err := b.run.project.Tools.Installed(b.run.tool, required)
	if err != nil {
		return packer.Job{}, err
	}
	names := make([]string, 0, len(plugins))
	for i, p := range plugins {
		required[i].Installed = p.Address
		names = append(names, filepath.Base(p.Address)+" "+p.Version)
	}
	if err := templates.Stage(b.target, root, dir, required); err != nil {
		return packer.Job{}, err
	}
	secrets, err := templates.SecretEnv(b.target.Variables)
	if err != nil {
		return packer.Job{}, err
	}
	b.event(hybridcore.EventStart, "packer "+b.run.tool.Version+", plugins "+strings.Join(names, ", "))
	return packer.Job{
		Dir: dir, Scratch: b.scratch, VarFile: filepath.Join(dir, templates.VarFileName), Source: b.target.Source,
		Only:    set.Only(b.target),
		Secrets: secrets, Env: b.run.project.Environ, Plugins: plugins, Manifest: manifest,
		Redact: b.run.project.Redactor.String, Log: b.log, Hurry: b.run.project.Tools.Hurry,
		OnEvent: func(e hybridcore.Event) {
			e.Target = b.target.Name()
			b.report(e)
		},
	}, nil
}

// take copies what Packer's run came to.
func (b *building) take(o packer.Outcome) {
	b.result.Steps, b.result.Failure = o.Steps, o.Failure
	b.result.Notes = append(b.result.Notes, o.Notes...)
	if b.result.Failure != nil {
		b.result.Failure.File = b.source(b.result.Failure.File)
	}
	for _, f := range o.Findings {
		f.File = b.source(f.File)
		b.result.Findings = append(b.result.Findings, f)
	}
}

// source turns a path in the stage, perhaps with a line, into the project's own
// file that was staged there.
func (b *building) source(path string) string {
	path = strings.TrimPrefix(path, filepath.Join(b.scratch, "stage")+"/")
	file, line, _ := strings.Cut(path, ":")
	for _, f := range b.target.Files {
		if f.Path == strings.TrimPrefix(file, "./") {
			return strings.TrimSuffix(f.From+":"+line, ":")
		}
	}
	return path
}

// verify looks the artifact up on its platform and takes the inventory in.
func (b *building) verify(ctx context.Context, o packer.Outcome) error {
	name := project.ArtifactName(b.target.Image.Name, b.run.id)
	artifact := hybridcore.Artifact{ID: name}
	for _, a := range o.Artifacts {
		artifact.ID, artifact.Builder = a.ID, a.BuilderID
	}
	b.result.Artifact = &artifact
	var uris []hybridcore.URI
	err := b.run.project.With(ctx, b.target,
		func(c project.Client) (err error) {
			if uris, err = c.Find(ctx, name); err == nil && len(uris) > 0 {
				artifact.URIs = uris
				b.fingerprint(ctx, c)
			}
			return err
		})
	if err != nil {
		return fmt.Errorf("built, but not verified: %w", err)
	}
	if len(uris) == 0 {
		return fmt.Errorf("packer reported %s, but %s has nothing of that name", name, b.target.Platform.Info().Title)
	}
	if !o.Clean {
		b.result.Findings = append(b.result.Findings, hybridcore.Finding{
			Kind: output.KindResidue, Subject: b.target.Name(), Severity: hybridcore.Warning,
			Message: "the build did not look for what it left: the image may hold its password or keys",
			Hint:    "keep the last provisioner of templates/os/linux.pkr.hcl, which runs scripts/linux/residue.py",
		})
	}
	return b.takeInventory()
}
