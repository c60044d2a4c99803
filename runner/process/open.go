// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:00:00Z
// Spec: openspec/specs/runner/spec.md#requirement-a-process-opens-the-project
// Diagram: openspec/specs/runner/diagram.md#layers-of-the-runner

package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/packer-hybrid/packer-hybrid/forge/forges"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/runner"
	"github.com/packer-hybrid/packer-hybrid/runner/build"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// Open wires the packages together for the project around the directory.
func (p Process) Open() (*runner.Runner, func(), error) {
	project, err := p.Project()
	if err != nil {
		return nil, nil, err
	}
	if err := p.stateOfAJob(project); err != nil {
		return nil, nil, err
	}
	store, err := stored.Open(p.Places(), project, p.Notes)
	if err != nil {
		return nil, nil, err
	}
	logDir, err := p.Places().LogDir(project)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	log, closeLog, err := logs.New(logs.Options{
		Redactor: p.Redactor, Console: p.Log, ConsoleLevel: slog.LevelWarn, Color: p.Color,
		File: filepath.Join(logDir, "packer-hybrid.log"),
	})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("opening the log: %w", err), store.Close())
	}
	r := p.Wire(project)
	r.Project.State, r.Project.Log = store, log
	r.Folders = build.Folders{Logs: logDir, Uploads: string(p.Uploads)}
	return r, func() { _, _, _ = r.Project.Close(), store.Close(), closeLog() }, nil
}

// stateOfAJob refuses a state that came with the commit of a CI job, also in a step
// beside ci, such as reap.
func (p Process) stateOfAJob(project config.Project) error {
	if _, err := forges.Detect(p.Getenv); err != nil {
		return nil //nolint:nilerr // this is no job
	}
	return stored.Untracked(context.Background(), p.Places(), project)
}

// Read is View for what shows the state as what runs have written.
func (p Process) Read() (*runner.Runner, func(), error) {
	project, err := p.Project()
	if err == nil {
		err = p.stateOfAJob(project)
	}
	if err != nil {
		return nil, nil, err
	}
	return p.view(project)
}

// View is a runner that only reads: it makes and upgrades no state, and keeps no log.
func (p Process) View() (*runner.Runner, func(), error) {
	project, err := p.Project()
	if err != nil {
		return nil, nil, err
	}
	return p.view(project)
}

func (p Process) view(project config.Project) (_ *runner.Runner, done func(), err error) {
	store := directory.Nothing(stored.Dir(project))
	if p.Policy == nil { // the state in a tree whose author is not trusted is that author's
		if store, err = stored.View(p.Places(), project); err != nil {
			return nil, nil, err
		}
	}
	r := p.Wire(project)
	r.Project.State, r.Project.Log = store, slog.New(slog.DiscardHandler)
	return r, func() { _, _ = r.Project.Close(), store.Close() }, nil
}

// Wire is what every runner has.
func (p Process) Wire(of config.Project) *runner.Runner {
	connect := func(ctx context.Context, t hybridcore.Target) (project.Client, error) { return platforms.Open(ctx, t) }
	if hybridcore.LabOf(p.Environ) != "" {
		connect = func(ctx context.Context, t hybridcore.Target) (project.Client, error) {
			return platforms.OpenInLab(ctx, t)
		}
	}
	return &runner.Runner{
		Project: &project.Project{
			Config: of, Environ: p.Environ, Redactor: p.Redactor, Now: time.Now, Connect: connect,
			Reviewed: p.Reviewed,
			Tools: project.Tools{
				Version: p.Version, FindPacker: p.FindPacker(of.Build.CancelGrace), FindRPC: p.FindRPC, Hurry: p.Hurry,
				PinnedPlugins: p.pinnedPlugins(),
				Answers:       filepath.Join(p.Places().CacheDir(), "upstream"),
				Answer:        func(ctx context.Context, path string) string { return p.memory().Answer(ctx, p.Environ, path) },
				Schemas:       packer.Schemas{PluginDirs: p.allPluginDirs(), Memory: p.memory()},
			},
		},
		Policy: p.Policy,
		Remember: plan.Memory{
			Verdicts: plan.Verdicts(filepath.Join(p.Places().CacheDir(), "verdicts")), Program: p.program(),
		},
	}
}

// Project reads the project file around the folder.
func (p Process) Project() (config.Project, error) {
	root, err := config.FindRoot(cmp.Or(p.Dir, "."))
	if err != nil {
		return config.Project{}, err
	}
	if err := p.Places().OwnCache(root); err != nil {
		return config.Project{}, err
	}
	project, err := config.Load(root)
	if p.State != nil {
		project.State = *p.State
	}
	if err == nil {
		err = stored.Named(p.Places(), &project)
	}
	return project, err
}
