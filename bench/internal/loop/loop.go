// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:09:11Z
// Spec: openspec/specs/full-validation/spec.md#requirement-faster-than-the-loop
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

// Package loop is what measurements of validations have in common: a project
// with many targets, and Packer's own loop over them.
//
// The tree is the one that `packer-hybrid init` writes, with as many images on
// vSphere as wanted; two public example frameworks have 45 builds together. The
// loop is packer validate, as a person types it, in the staged folder of each
// target, two at a time, with the plugins that `make tools` builds.
package loop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/lab"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Jobs is how many targets the loop validates at once.
const Jobs = 2

// Tree is a project to measure with.
type Tree struct {
	dir, hybrid, project, packer, plugins, rpc string

	targets int
	stages  []string
}

// New builds packer-hybrid, and makes and stages the project below dir.
func New(ctx context.Context, dir string, targets int) (*Tree, error) {
	cache, err := lab.CacheDir()
	if err != nil {
		return nil, err
	}
	t := &Tree{
		dir: dir, project: filepath.Join(dir, "project"), targets: targets,
		packer: filepath.Join(cache, "bin", "packer"), plugins: filepath.Join(cache, "plugins"),
		rpc: filepath.Join(cache, "bin", "packer-hybrid-rpc"),
	}
	t.stages, err = t.prepare(ctx)
	return t, err
}

// environ is what both sides get.
func (t *Tree) environ() []string {
	return append(os.Environ(), "PACKER_HYBRID_CACHE="+filepath.Join(t.dir, "cache"), "PACKER_PLUGIN_PATH="+t.plugins,
		"CHECKPOINT_DISABLE=1", "PACKER_HYBRID_RPC="+t.rpc,
		"PKR_VAR_build_password=bench-password-1", "PKR_VAR_vsphere_password=bench-password-2",
		"PKR_VAR_vsphere_endpoint=127.0.0.1", "PKR_VAR_vsphere_username=bench")
}

// Hybrid is one process of packer-hybrid on the tree, what it said and took.
func (t *Tree) Hybrid(ctx context.Context, args ...string) (string, timing.Sample, error) {
	cmd := exec.CommandContext(ctx, t.hybrid, append([]string{"-C", t.project, "--packer", t.packer}, args...)...)
	cmd.Env = t.environ()
	var said bytes.Buffer
	cmd.Stderr = &said
	out, s, err := timing.Output(cmd)
	return string(out) + said.String(), s, err
}

// Validate lets Packer validate each target.
func (t *Tree) Validate(ctx context.Context) (timing.Sample, error) {
	work := make(chan string)
	var cpu [Jobs]time.Duration
	var failed [Jobs]error
	var group sync.WaitGroup
	start := time.Now()
	for i := range Jobs {
		group.Go(func() {
			for stage := range work {
				cmd := exec.CommandContext(ctx, t.packer, "validate", "-var-file="+templates.VarFileName, ".")
				cmd.Dir, cmd.Env = stage, t.environ()
				out, s, err := timing.Output(cmd)
				if cpu[i] += s.CPU; err != nil {
					failed[i] = fmt.Errorf("packer validate: %w\n%s", err, out)
				}
			}
		})
	}
	for _, stage := range t.stages {
		work <- stage
	}
	close(work)
	group.Wait()
	return timing.Sample{Wall: time.Since(start), CPU: cpu[0] + cpu[1]}, errors.Join(failed[:]...)
}

// prepare builds packer-hybrid, makes the project and stages each target.
func (t *Tree) prepare(ctx context.Context) ([]string, error) {
	var err error
	if t.hybrid, err = timing.Build(ctx, t.dir); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, t.hybrid, "init", t.project).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("making the project: %w\n%s", err, out)
	}
	var catalogue strings.Builder
	for i := range t.targets {
		fmt.Fprintf(&catalogue, "image \"debian-%d\" {\n  os = \"linux\"\n  family = \"debian\"\n  version = \"12\"\n  "+
			"title = \"Debian 12, %d\"\n  platforms = [\"vsphere\"]\n}\n", i, i)
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(t.project, "templates", "images.hcl"), []byte(catalogue.String()), 0o600),
		os.WriteFile(filepath.Join(t.project, "packer-hybrid.hcl"),
			[]byte("project {\n  name = \"bench\"\n}\n\nenvironment \"lab\" {\n  platforms = [\"vsphere\"]\n}\n"), 0o600))
	if err != nil {
		return nil, fmt.Errorf("making the project: %w", err)
	}
	return t.stage(ctx)
}

// stage lays out each target as packer-hybrid would.
func (t *Tree) stage(ctx context.Context) ([]string, error) {
	found, err := config.Load(t.project)
	if err != nil {
		return nil, err
	}
	redactor, _ := redact.New()
	opened := &project.Project{Config: found, Environ: t.environ(), Redactor: redactor, Now: time.Now}
	opened.Tools.FindPacker = func(ctx context.Context) (packer.Tool, error) {
		tool, err := packer.Find(ctx, []string{t.packer}, project.MinPacker)
		tool.PluginDirs = []string{t.plugins}
		return tool, err
	}
	defer opened.Close()
	planned, err := plan.Stage{Project: opened}.Plan(ctx, hybridcore.Request{Action: hybridcore.ActionPlan})
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(t.project)
	if err != nil {
		return nil, fmt.Errorf("opening the project: %w", err)
	}
	defer root.Close()
	set, err := templates.Load(root)
	if err != nil {
		return nil, err
	}
	var stages []string
	for _, p := range planned.Targets {
		for i, v := range p.Target.Variables {
			if v.Run {
				p.Target.Variables[i].JSON = `"bench"`
			}
		}
		required := set.Plugins(p.Target)
		for i := range required {
			required[i].Installed = required[i].Source
		}
		dir := filepath.Join(t.dir, "stages", p.Target.Image.Name)
		if err := templates.Stage(p.Target, root, dir, required); err != nil {
			return nil, err
		}
		stages = append(stages, dir)
	}
	return stages, nil
}
