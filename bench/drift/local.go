// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:30:00Z
// Spec: openspec/specs/drift/spec.md#requirement-as-fast-as-git
// Diagram: openspec/specs/drift/diagram.md#one-look

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
	"github.com/packer-hybrid/packer-hybrid/bench/internal/upstreams"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
)

const rounds = 31

// projectFile has the platform of which `make tools` builds the plugin.
const projectFile = "project {\n  name = \"bench\"\n}\n\nenvironment \"lab\" {\n  platforms = [\"vsphere\"]\n}\n"

// tree is a built project with the checkouts that its lock pins.
type tree struct {
	hybrid, project string
	repositories    []string // the project and its checkouts
}

// local measures drift as one process against git status over the same repositories, and returns the ratio of
// the medians.
func local(ctx context.Context, dir string) (float64, error) {
	t := tree{project: filepath.Join(dir, "project")}
	var err error
	if t.hybrid, err = timing.Build(ctx, dir); err != nil {
		return 0, err
	}
	if err := t.prepare(ctx, filepath.Join(dir, "mirror")); err != nil {
		return 0, err
	}
	var ours, git []timing.Sample
	for round := range rounds + 1 {
		sides := []func() error{
			func() error {
				took, err := t.drift(ctx)
				ours = append(ours, took)
				return err
			},
			func() error {
				took, err := t.status(ctx)
				git = append(git, took)
				return err
			},
		}
		for side := range sides {
			if err := sides[(round+side)%len(sides)](); err != nil {
				return 0, err
			}
		}
	}
	ours, git = ours[1:], git[1:] // the first round reads the disk
	a, b := timing.Median(ours), timing.Median(git)
	fmt.Printf("%d repositories, %d rounds, medians\n", len(t.repositories), rounds)
	fmt.Printf("%-24s wall %6.1f ms  cpu %6.1f ms\n", "drift", timing.MS(a.Wall), timing.MS(a.CPU))
	fmt.Printf("%-24s wall %6.1f ms  cpu %6.1f ms\n", "git status --porcelain", timing.MS(b.Wall), timing.MS(b.CPU))
	return float64(a.Wall) / float64(b.Wall), nil
}

// drift looks at the tree, which is well.
func (t tree) drift(ctx context.Context) (timing.Sample, error) {
	out, took, err := timing.Output(t.command(ctx, "drift", "-o", "json"))
	if err != nil {
		return took, fmt.Errorf("drift: %w\n%s", err, out)
	}
	var answer struct{ Drift hybridcore.DriftReport }
	if err := json.Unmarshal(out, &answer); err != nil {
		return took, fmt.Errorf("reading the answer: %w", err)
	}
	if len(answer.Drift.Findings) > 0 || len(answer.Drift.Looks) == 0 || answer.Drift.Looks[0].Looked == 0 {
		return took, fmt.Errorf("the tree is not as it was built: %s", out)
	}
	return took, nil
}

// status asks git about each repository, one after the other.
func (t tree) status(ctx context.Context) (all timing.Sample, err error) {
	for _, dir := range t.repositories {
		out, took, err := timing.Output(exec.CommandContext(ctx, "git", "-C", dir, "status", "--porcelain"))
		if err != nil || len(out) > 0 {
			return all, errors.Join(err, fmt.Errorf("git status in %s: %s", dir, out))
		}
		all.Wall, all.CPU = all.Wall+took.Wall, all.CPU+took.CPU
	}
	return all, nil
}

func (t tree) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.hybrid, append([]string{"-C", t.project}, args...)...)
	cmd.Env = append(os.Environ(), "PKR_VAR_build_password=bench-password-1")
	return cmd
}

// prepare makes the project, its commit, its checkouts, and the state that building all of it would leave.
func (t *tree) prepare(ctx context.Context, mirror string) error {
	if out, err := exec.CommandContext(ctx, t.hybrid, "init", t.project).CombinedOutput(); err != nil {
		return fmt.Errorf("making the project: %w\n%s", err, out)
	}
	all, lock, err := upstreams.Make(ctx, mirror)
	if err != nil {
		return err
	}
	for name, data := range map[string]string{"packer-hybrid.hcl": projectFile, sources.LockPath: string(lock)} {
		if err := os.WriteFile(filepath.Join(t.project, filepath.FromSlash(name)), []byte(data), 0o600); err != nil {
			return fmt.Errorf("laying out the project: %w", err)
		}
	}
	t.repositories = []string{t.project}
	for _, r := range all {
		t.repositories = append(t.repositories, filepath.Join(t.project, sources.Dir, r.Name))
	}
	for _, args := range [][]string{
		{"init", "-q"},
		{"add", "-A"},
		{"-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "-q", "-m", "base"},
	} {
		if _, err := upstreams.Git(ctx, t.project, args...); err != nil {
			return err
		}
	}
	if out, err := t.command(ctx, "sources", "sync", "--mirror", mirror).CombinedOutput(); err != nil {
		return fmt.Errorf("bringing the checkouts to their pins: %w\n%s", err, out)
	}
	return t.record(ctx)
}

// record writes what building every target would leave in the state.
func (t *tree) record(ctx context.Context) error {
	out, err := t.command(ctx, "plan", "-o", "json").Output()
	if err != nil {
		return fmt.Errorf("planning: %w\n%s", err, out)
	}
	var answer struct{ Plan hybridcore.Plan }
	if err := json.Unmarshal(out, &answer); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	store, err := directory.Open(filepath.Join(t.project, "state"))
	if err != nil {
		return err
	}
	p := answer.Plan
	record := hybridcore.Record{
		RunID: "20261101t000000-1a2b3c4d", At: time.Now(), Commit: p.Commit, Status: hybridcore.Built, Versions: p.Versions,
	}
	current := map[string]hybridcore.Current{}
	for _, one := range p.Targets {
		record.Results = append(record.Results, hybridcore.Result{
			Target: one.Target.Name(), Image: one.Target.Image.Name, Platform: one.Target.Platform, Status: hybridcore.Built,
			Digest: one.Target.Digest, Recipe: one.Target.Recipe, Inputs: one.Target.Inputs,
		})
		current[one.Target.Key()] = hybridcore.Current{
			RunID: record.RunID, At: record.At, Commit: p.Commit, Digest: one.Target.Digest, Recipe: one.Target.Recipe,
			Inputs: one.Target.Inputs, Versions: p.Versions,
		}
	}
	err = store.Append(ctx, record, nil)
	if err == nil {
		err = store.Update(ctx, func(s *hybridcore.Snapshot) error {
			s.Targets = current
			return nil
		})
	}
	return errors.Join(err, store.Close())
}
