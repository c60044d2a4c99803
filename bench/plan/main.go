// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:38:24Z
// Spec: openspec/specs/plan/spec.md#requirement-speed-of-a-plan
// Diagram: openspec/specs/plan/diagram.md#two-trees

// Command plan measures how long 500 targets take to be planned and reported.
//
// Goal: plan and report of 500 targets within 1 s, in every form
//
// The tree is the one that `packer-hybrid init` writes, with a catalogue of 500
// images, under git. Every target was built once, as the state says; then a
// variable, a role's file and the catalogue changed, so that every target has
// three reasons. Each form of the answer is one process: text, Markdown and
// JSON against the state, and Markdown against the commit. There is no other
// side: nothing that people use today answers this question.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
)

const (
	goal    = time.Second
	targets = 500
	rounds  = 5
	limit   = 4 * time.Minute // of the whole measurement
)

func main() { timing.Main("plan", limit, measure) }

func measure(ctx context.Context, dir string) error {
	hybrid, err := timing.Build(ctx, dir)
	if err != nil {
		return err
	}
	b := bench{hybrid: hybrid, project: filepath.Join(dir, "project")}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	forms := map[string][]string{
		"text": {"plan"}, "markdown": {"plan", "-o", "markdown"}, "json": {"plan", "-o", "json"},
		"base": {"plan", "-o", "markdown", "--base", "HEAD"},
	}
	fmt.Printf("%d targets, %d rounds, medians\n", targets, rounds)
	worst := time.Duration(0)
	for _, name := range []string{"text", "markdown", "json", "base"} {
		var all []timing.Sample
		size := 0
		for range rounds {
			cmd := b.command(ctx, forms[name]...)
			out, took, err := timing.Output(cmd)
			if err != nil {
				return fmt.Errorf("%s: %w\n%s", name, err, out)
			}
			all = append(all, took)
			size = len(out)
		}
		m := timing.Median(all)
		worst = max(worst, m.Wall)
		fmt.Printf("%-9s wall %6d ms  cpu %6d ms  %8d bytes\n", name, m.Wall.Milliseconds(), m.CPU.Milliseconds(), size)
	}
	return timing.Verdict("plan", worst.Seconds()/goal.Seconds(), 1, worst <= goal)
}

type bench struct{ hybrid, project string }

func (b bench) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, b.hybrid, append([]string{"-C", b.project}, args...)...)
	cmd.Env = append(os.Environ(), "PKR_VAR_build_password=bench-password-1")
	return cmd
}

// prepare makes the tree, its commit, its state and then the change.
func (b bench) prepare(ctx context.Context) error {
	if out, err := exec.CommandContext(ctx, b.hybrid, "init", b.project).CombinedOutput(); err != nil {
		return fmt.Errorf("making the project: %w\n%s", err, out)
	}
	var catalogue strings.Builder
	for i := range targets {
		fmt.Fprintf(&catalogue, "image \"debian-%d\" {\n  os = \"linux\"\n  family = \"debian\"\n  version = \"12\"\n  "+
			"title = \"Debian 12, %d\"\n  platforms = [\"vsphere\"]\n}\n", i, i)
	}
	project := "project {\n  name = \"bench\"\n}\n\nenvironment \"lab\" {\n  platforms = [\"vsphere\"]\n}\n"
	err := errors.Join(b.write("packer-hybrid.hcl", project), b.write("templates/images.hcl", catalogue.String()))
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"init", "-q"},
		{"add", "-A"},
		{"-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "-q", "-m", "base"},
	} {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = b.project
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %v: %w\n%s", args, err, out)
		}
	}
	if err := b.record(ctx); err != nil {
		return err
	}
	return errors.Join(
		b.write("templates/vars/linux/debian/vsphere.pkrvars.hcl", "vm_cpu_count = 3\n"),
		b.write("templates/ansible/roles/base/tasks/main.yml", "- name: Nothing\n  ansible.builtin.debug:\n"),
		b.write("templates/ansible/new.yml", "- hosts: all\n"),
	)
}

func (b bench) write(name, text string) error {
	if err := os.WriteFile(filepath.Join(b.project, name), []byte(text), 0o600); err != nil {
		return fmt.Errorf("laying out the project: %w", err)
	}
	return nil
}

// record writes the state that building every target would leave.
func (b bench) record(ctx context.Context) error {
	out, err := b.command(ctx, "plan", "-o", "json").Output()
	if err != nil {
		return fmt.Errorf("planning the first time: %w", err)
	}
	var doc struct{ Plan hybridcore.Plan }
	if err := json.Unmarshal(out, &doc); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	if len(doc.Plan.Targets) != targets {
		return fmt.Errorf("%d targets are planned, not %d", len(doc.Plan.Targets), targets)
	}
	dir, err := directory.Open(filepath.Join(b.project, "state"))
	if err != nil {
		return err
	}
	return dir.Update(ctx, func(s *hybridcore.Snapshot) error {
		s.Targets = map[string]hybridcore.Current{}
		for _, p := range doc.Plan.Targets {
			s.Targets[p.Target.Key()] = hybridcore.Current{
				RunID: "20261101t000000-1a2b3c4d", At: time.Now(), Commit: doc.Plan.Commit, Digest: p.Target.Digest,
				Recipe: p.Target.Recipe,
				Inputs: p.Target.Inputs, Versions: doc.Plan.Versions, Inventory: &hybridcore.Inventory{Packages: 500},
			}
		}
		return nil
	})
}
