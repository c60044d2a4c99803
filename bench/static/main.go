// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:55:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-faster-than-packer
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

// Command static measures `packer-hybrid validate` against `packer validate` of the same targets.
//
// The tree is this repository's own, with a catalogue of as many images as it takes for 45 targets, the number of
// builds in both
// public example frameworks together. The targets are those of the platforms whose real plugins are found. Packer
// validates each
// staged target, two at a time, as a loop in CI does, with just the plugins of the target's platform in its plugin
// path; ours is
// one process that reads the tree and checks all. Both sides must find every target valid.
//
// Goal: all targets of the tree at least 100 times faster than packer validate of them, two at a time
package main

import (
	"context"
	"errors"
	"flag"
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
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/lab"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

const (
	goal    = 100.0
	targets = 45
	atOnce  = 2
	rounds  = 3
	ours    = 5                // runs of ours in each round: it is the faster side
	limit   = 15 * time.Minute // of the whole measurement
)

// connection are values without which Packer does not validate.
var connection = map[string]string{
	"proxmox_url": "https://127.0.0.1:8006/api2/json", "proxmox_username": "packer@pve!bench",
	"proxmox_token":    "bench-token",
	"vsphere_endpoint": "127.0.0.1", "vsphere_username": "bench", "vsphere_password": "bench-password",
	"build_password":        "bench-password-2",
	"azure_subscription_id": "00000000-0000-0000-0000-000000000001",
	"azure_tenant_id":       "00000000-0000-0000-0000-000000000002",
	"azure_client_id":       "00000000-0000-0000-0000-000000000003", "azure_client_secret": "bench-secret",
}

// bench is the material of both sides.
type bench struct {
	dir, project, hybrid, packer, plugins string
	platforms                             []hybridcore.Platform
	stages                                []stage
}

// stage is one target as Packer gets it.
type stage struct {
	dir, source string
	env         []string
}

func main() {
	plugins := flag.String("plugin-dir", "", "Packer plugin tree (default: the one that make tools filled)")
	flag.Parse()
	timing.Main("static", limit, func(ctx context.Context, dir string) error { return measure(ctx, dir, *plugins) })
}

func measure(ctx context.Context, dir, plugins string) error {
	b := &bench{dir: dir, project: filepath.Join(dir, "project"), plugins: plugins}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	var theirs, mine []timing.Sample
	for range rounds {
		took, err := b.packerAll(ctx)
		if err != nil {
			return err
		}
		theirs = append(theirs, took)
		for range ours {
			took, err := b.validate(ctx)
			if err != nil {
				return err
			}
			mine = append(mine, took)
		}
	}
	t, m := timing.Median(theirs), timing.Median(mine)
	fmt.Printf("%d targets on %v, %d rounds, medians\n", len(b.stages), b.platforms, rounds)
	fmt.Printf("packer validate, %d at a time       wall %8.1f ms  cpu %8.1f ms\n", atOnce, timing.MS(t.Wall),
		timing.MS(t.CPU))
	fmt.Printf("packer-hybrid validate --no-cache  wall %8.1f ms  cpu %8.1f ms\n", timing.MS(m.Wall), timing.MS(m.CPU))
	ratio := t.Wall.Seconds() / m.Wall.Seconds()
	fmt.Printf("cpu ratio=%.1f\n", t.CPU.Seconds()/m.CPU.Seconds())
	return timing.Verdict("static", ratio, goal, ratio >= goal)
}

// prepare builds packer-hybrid, lays out the project and stages its targets.
func (b *bench) prepare(ctx context.Context) error {
	cache, err := lab.CacheDir()
	if err != nil {
		return fmt.Errorf("finding the cache: %w", err)
	}
	b.packer = filepath.Join(cache, "bin", "packer")
	if b.plugins == "" {
		b.plugins = filepath.Join(cache, "plugins")
	}
	for _, info := range hybridcore.Platforms() {
		// the pattern is right
		if found, _ := filepath.Glob(filepath.Join(b.plugins, "github.com", "*", string(info.Name))); len(found) > 0 {
			b.platforms = append(b.platforms, info.Name)
		}
	}
	if len(b.platforms) == 0 {
		return fmt.Errorf("no plugin of a platform is below %s (run: make tools)", b.plugins)
	}
	if b.hybrid, err = timing.Build(ctx, b.dir); err != nil {
		return err
	}
	if err := b.layOut(); err != nil {
		return fmt.Errorf("laying out the project: %w", err)
	}
	return b.stage(ctx)
}

// layOut copies the project with a catalogue of many images.
func (b *bench) layOut() error {
	var names, catalogue strings.Builder
	for _, p := range b.platforms {
		fmt.Fprintf(&names, "%q, ", p)
	}
	platforms := strings.TrimSuffix(names.String(), ", ")
	errs := []error{os.MkdirAll(b.project, 0o700)}
	for _, name := range []string{"templates", "configs", "sources"} {
		errs = append(errs, os.CopyFS(filepath.Join(b.project, name), os.DirFS(name)))
	}
	for i := range targets / len(b.platforms) {
		fmt.Fprintf(&catalogue, "image \"bench-%02d\" {\n  os        = \"linux\"\n  family    = \"debian\"\n  version   = "+
			"\"12\"\n  title     = \"Bench %d\"\n  platforms = [%s]\n}\n\n", i, i, platforms)
		file := filepath.Join(b.project, "configs", "lab", fmt.Sprintf("bench-%02d.pkrvars.hcl", i))
		errs = append(errs, os.WriteFile(file,
			[]byte(fmt.Sprintf("iso_file       = \"bench-%02d.iso\"\nguest_hostname = \"bench%d\"\n", i, i)), 0o600))
	}
	for _, old := range []string{"debian-12", "ubuntu-24.04"} {
		errs = append(errs, os.Remove(filepath.Join(b.project, "configs", "lab", old+".pkrvars.hcl")))
	}
	project := fmt.Sprintf("project {\n  name                = \"bench\"\n  default_environment = "+
		"\"lab\"\n}\n\nenvironment \"lab\" {\n  platforms = [%s]\n}\n", platforms)
	return errors.Join(append(errs,
		os.WriteFile(filepath.Join(b.project, "templates", "images.hcl"), []byte(catalogue.String()), 0o600),
		os.WriteFile(filepath.Join(b.project, config.FileName), []byte(project), 0o600),
	)...)
}

// stage lays every target out as a build does.
func (b *bench) stage(ctx context.Context) error {
	found, err := config.Load(b.project)
	if err != nil {
		return fmt.Errorf("loading the project: %w", err)
	}
	redactor, _ := redact.New()
	opened := &project.Project{Config: found, Redactor: redactor}
	defer opened.Close()
	for name, value := range connection {
		opened.Environ = append(opened.Environ, "PKR_VAR_"+name+"="+value)
	}
	planned, err := plan.Stage{Project: opened}.Plan(ctx,
		hybridcore.Request{Action: hybridcore.ActionValidate, Env: "lab"})
	if err != nil {
		return fmt.Errorf("planning: %w", err)
	}
	root, err := os.OpenRoot(b.project)
	if err != nil {
		return fmt.Errorf("opening the project: %w", err)
	}
	defer root.Close()
	for _, one := range planned.Targets {
		t := one.Target
		for i, v := range t.Variables {
			if v.Run {
				t.Variables[i].JSON = `"20261122t224501-1a2b3c4d"` // templates take such a name apart
			}
		}
		s := stage{dir: filepath.Join(b.dir, "stages", t.Name()), source: t.Source}
		if err := templates.Stage(t, root, s.dir, nil); err != nil {
			return fmt.Errorf("staging: %w", err)
		}
		if s.env, err = templates.SecretEnv(t.Variables); err != nil {
			return fmt.Errorf("staging: %w", err)
		}
		narrow := filepath.Join(b.dir, "plugins-"+string(t.Platform))
		for _, plugin := range []string{string(t.Platform), "ansible"} {
			if err := link(filepath.Join(b.plugins, "github.com", "hashicorp", plugin),
				filepath.Join(narrow, "github.com", "hashicorp", plugin)); err != nil {
				return err
			}
		}
		s.env = append(s.env, "PATH="+os.Getenv("PATH"), "HOME="+b.dir, "CHECKPOINT_DISABLE=1", "PACKER_PLUGIN_PATH="+narrow)
		b.stages = append(b.stages, s)
	}
	return nil
}

func link(from, to string) error {
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.CopyFS(to, os.DirFS(from))); err != nil {
		return fmt.Errorf("copying plugins: %w", err)
	}
	return nil
}

// packerAll validates every target with Packer.
func (b *bench) packerAll(ctx context.Context) (timing.Sample, error) {
	start := time.Now()
	slots, errs, cpu := make(chan struct{}, atOnce), make([]error, len(b.stages)), make([]time.Duration, len(b.stages))
	var all sync.WaitGroup
	for i, s := range b.stages {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			cmd := exec.CommandContext(ctx, b.packer, "validate", "-only="+s.source, "-var-file="+templates.VarFileName, ".")
			cmd.Dir, cmd.Env = s.dir, s.env
			out, took, err := timing.Output(cmd)
			if cpu[i] = took.CPU; err != nil {
				errs[i] = fmt.Errorf("packer validate: %w\n%s", err, out)
			}
		})
	}
	all.Wait()
	total := timing.Sample{Wall: time.Since(start)}
	for _, one := range cpu {
		total.CPU += one
	}
	return total, errors.Join(errs...)
}

// validate checks all targets in one process of packer-hybrid.
func (b *bench) validate(ctx context.Context) (timing.Sample, error) {
	cmd := exec.CommandContext(ctx, b.hybrid, "validate", "--no-cache", "-C", b.project)
	cmd.Env = []string{"PATH=/nonexistent", "HOME=" + b.dir}
	out, took, err := timing.Output(cmd)
	if err != nil || !strings.Contains(string(out), fmt.Sprintf("valid: %d targets", len(b.stages))) ||
		strings.Contains(string(out), "cached") {
		return took, fmt.Errorf("packer-hybrid validate said %s: %w", out, err)
	}
	return took, nil
}
