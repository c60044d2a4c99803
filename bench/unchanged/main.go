// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:38:24Z
// Spec: openspec/specs/plan/spec.md#requirement-speed-of-an-unchanged-validation
// Diagram: openspec/specs/plan/diagram.md#verdicts

// Command unchanged measures the validation of a tree that was validated before.
//
// Goal: at least 1,000 times as fast as packer validate of the same targets, two at a time
//
// The tree is the one that `packer-hybrid init` writes, with 45 images on
// vSphere: as many builds as the two public example frameworks have together.
// One side is packer validate, as a person types it, in the staged folder of
// each target, two at a time. The other is `packer-hybrid validate --with packer`, a whole
// process that digests the tree, the environment and the tools anew, finds the
// verdict and reports it. It runs eleven times for the loop's one, which takes
// half a minute; both use the same Packer and plugins.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/lab"
	"github.com/packer-hybrid/packer-hybrid/runner"
)

const (
	goal    = 1000.0
	targets = 45
	jobs    = 2
	rounds  = 11
	limit   = 8 * time.Minute // of the whole measurement
)

var errMissed = errors.New("goal missed")

func main() {
	if err := measure(); err != nil {
		fmt.Fprintln(os.Stderr, "unchanged:", err)
		os.Exit(1)
	}
}

type bench struct{ dir, hybrid, project, packer, plugins string }

func measure() error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "bench-unchanged-")
	if err != nil {
		return fmt.Errorf("making a scratch directory: %w", err)
	}
	defer os.RemoveAll(dir)
	cache, err := lab.CacheDir()
	if err != nil {
		return err
	}
	b := bench{
		dir: dir, hybrid: filepath.Join(dir, "packer-hybrid"), project: filepath.Join(dir, "project"),
		packer: filepath.Join(cache, "bin", "packer"), plugins: filepath.Join(cache, "plugins"),
	}
	stages, err := b.prepare(ctx)
	if err != nil {
		return err
	}
	loop, err := b.loop(ctx, stages)
	if err != nil {
		return err
	}
	if _, out, err := b.ours(ctx); err != nil {
		return fmt.Errorf("validating the first time: %w\n%s", err, out)
	}
	var walls []time.Duration
	for range rounds {
		wall, out, err := b.ours(ctx)
		if err != nil || !strings.Contains(out, "cached verdict of run") || strings.Count(out, " validated ") != targets {
			return fmt.Errorf("validating again: %w\n%s", err, out)
		}
		walls = append(walls, wall)
	}
	slices.Sort(walls)
	again := walls[len(walls)/2]
	ratio := loop.Seconds() / again.Seconds()
	fmt.Printf("%d targets; the loop once, packer-hybrid %d times, median\n", targets, rounds)
	fmt.Printf("packer validate, %d at a time    wall %8.1f ms\n", jobs, ms(loop))
	fmt.Printf("packer-hybrid validate, again   wall %8.1f ms (fastest %.1f)\n", ms(again), ms(walls[0]))
	fmt.Printf("unchanged ratio=%.0f goal=%.0f\n", ratio, goal)
	if ratio < goal {
		return errMissed
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// environ is what both sides get.
func (b bench) environ() []string {
	return append(os.Environ(), "PACKER_HYBRID_CACHE="+filepath.Join(b.dir, "cache"), "PACKER_PLUGIN_PATH="+b.plugins, "CHECKPOINT_DISABLE=1",
		"PKR_VAR_build_password=bench-password-1", "PKR_VAR_vsphere_password=bench-password-2", "PKR_VAR_vsphere_endpoint=127.0.0.1", "PKR_VAR_vsphere_username=bench")
}

// ours is one process of packer-hybrid.
func (b bench) ours(ctx context.Context) (time.Duration, string, error) {
	cmd := exec.CommandContext(ctx, b.hybrid, "-C", b.project, "validate", "--with", "packer", "--packer", b.packer)
	cmd.Env = b.environ()
	start := time.Now()
	out, err := cmd.CombinedOutput()
	return time.Since(start), string(out), err
}

// loop lets Packer validate each stage.
func (b bench) loop(ctx context.Context, stages []string) (time.Duration, error) {
	work := make(chan string)
	failed := make([]error, jobs)
	var group sync.WaitGroup
	start := time.Now()
	for i := range jobs {
		group.Go(func() {
			for stage := range work {
				cmd := exec.CommandContext(ctx, b.packer, "validate", "-var-file="+templates.VarFileName, ".")
				cmd.Dir, cmd.Env = stage, b.environ()
				if out, err := cmd.CombinedOutput(); err != nil {
					failed[i] = fmt.Errorf("packer validate: %w\n%s", err, out)
				}
			}
		})
	}
	for _, stage := range stages {
		work <- stage
	}
	close(work)
	group.Wait()
	return time.Since(start), errors.Join(failed...)
}

// prepare builds packer-hybrid, makes the project and stages each target.
func (b bench) prepare(ctx context.Context) ([]string, error) {
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", b.hybrid, "./cmd/packer-hybrid").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building packer-hybrid: %w\n%s", err, out)
	}
	if out, err := exec.CommandContext(ctx, b.hybrid, "init", b.project).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("making the project: %w\n%s", err, out)
	}
	var catalogue strings.Builder
	for i := range targets {
		fmt.Fprintf(&catalogue, "image \"debian-%d\" {\n  os = \"linux\"\n  family = \"debian\"\n  version = \"12\"\n  title = \"Debian 12, %d\"\n  platforms = [\"vsphere\"]\n}\n", i, i)
	}
	err := errors.Join(
		os.WriteFile(filepath.Join(b.project, "templates", "images.hcl"), []byte(catalogue.String()), 0o600),
		os.WriteFile(filepath.Join(b.project, "packer-hybrid.hcl"), []byte("project {\n  name = \"bench\"\n}\n\nenvironment \"lab\" {\n  platforms = [\"vsphere\"]\n}\n"), 0o600))
	if err != nil {
		return nil, fmt.Errorf("making the project: %w", err)
	}
	return b.stage(ctx)
}

// stage lays out each target as packer-hybrid would.
func (b bench) stage(ctx context.Context) ([]string, error) {
	project, err := config.Load(b.project)
	if err != nil {
		return nil, err
	}
	redactor, _ := logs.NewRedactor()
	r := &runner.Runner{Project: project, Environ: b.environ(), Redactor: redactor, Now: time.Now, FindTool: func(ctx context.Context) (packer.Tool, error) {
		tool, err := packer.Find(ctx, []string{b.packer}, runner.MinPacker)
		tool.PluginDirs = []string{b.plugins}
		return tool, err
	}}
	defer r.Close()
	plan, err := r.Plan(ctx, hybridcore.Request{Action: hybridcore.ActionPlan})
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(b.project)
	if err != nil {
		return nil, fmt.Errorf("opening the project: %w", err)
	}
	defer root.Close()
	set, err := templates.Load(root)
	if err != nil {
		return nil, err
	}
	var stages []string
	for _, p := range plan.Targets {
		for i, v := range p.Target.Variables {
			if v.Run {
				p.Target.Variables[i].JSON = `"bench"`
			}
		}
		required := set.Plugins(p.Target)
		for i := range required {
			required[i].Installed = required[i].Source
		}
		dir := filepath.Join(b.dir, "stages", p.Target.Image.Name)
		if err := templates.Stage(p.Target, root, dir, required); err != nil {
			return nil, err
		}
		stages = append(stages, dir)
	}
	return stages, nil
}
