// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:13Z
// Spec: openspec/specs/config/spec.md#requirement-the-project-file
// Diagram: openspec/specs/config/diagram.md#the-project-file

package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

func decode(file *hclfile.File) (Project, []hybridcore.Finding) {
	d := &decoder{file: file}
	p := Project{
		State: State{Backend: BackendDirectory, Path: DefaultStatePath},
		Build: Build{Parallel: DefaultParallel, CancelGrace: DefaultCancelGrace},
	}
	for _, attr := range hclfile.SortedAttributes(file.Body) {
		d.add(attr.NameRange, fmt.Sprintf("the setting %q stands outside of a block", attr.Name),
			"put it into a project, environment, state, build, ci, merge or bot block")
	}
	known := []string{"project", "environment", "state", "build", "ci", "merge", "bot"}
	seen := map[string]bool{}
	var defaultAt hcl.Range
	for _, block := range file.Body.Blocks {
		key := block.Type + " " + strings.Join(block.Labels, " ")
		if seen[key] {
			d.add(block.TypeRange, fmt.Sprintf("a second block %q", strings.TrimSpace(key)), "merge it with the first one")
		}
		seen[key] = true
		switch block.Type {
		case "project":
			defaultAt = block.TypeRange
			d.project(block, &p)
		case "environment":
			d.environment(block, &p)
		case "state":
			d.state(block, &p)
		case "build":
			d.build(block, &p)
		case "ci":
			d.ci(block, &p)
		case "merge":
			d.merge(block, &p)
		case "bot":
			d.bot(block, &p)
		default:
			d.add(block.TypeRange, fmt.Sprintf("unknown block %q%s", block.Type, text.DidYouMean(block.Type, known)),
				"known blocks: "+strings.Join(known, ", "))
		}
	}
	d.whole(&p, defaultAt)
	return p, d.findings
}

// whole checks what only the whole file shows, and fills the defaults that
// depend on other blocks.
func (d *decoder) whole(p *Project, defaultAt hcl.Range) {
	if p.Name == "" && defaultAt.Empty() {
		d.add(hcl.Range{Start: hcl.Pos{Line: 1, Column: 1}}, "the block project is missing",
			`add project { name = "golden-images" }`)
	}
	if len(p.Environments) == 0 {
		d.add(hcl.Range{Start: hcl.Pos{Line: 1, Column: 1}}, "no environment is declared",
			`add environment "lab" {} for the folder configs/lab/`)
		return
	}
	names := make([]string, 0, len(p.Environments))
	for i := range p.Environments {
		names = append(names, p.Environments[i].Name)
		if p.Environments[i].Parallel == 0 {
			p.Environments[i].Parallel = p.Build.Parallel
		}
	}
	for _, scope := range p.Bot.Scopes() {
		for _, name := range scope.Environments {
			if name != Any && !slices.Contains(names, name) {
				d.add(hcl.Range{Start: hcl.Pos{Line: scope.Line, Column: 1}},
					fmt.Sprintf("environment %q is not declared%s", name,
						text.DidYouMean(name, names)), "declared: "+strings.Join(names, ", "))
			}
		}
	}
	d.unmerged(p, names)
	d.declared(p.CI.Line, "change_environments", p.CI.ChangeEnvironments, names)
	d.declared(p.Merge.Line, "environments of merge", p.Merge.Environments, names)
	if p.DefaultEnv == "" && len(names) == 1 {
		p.DefaultEnv = names[0]
	}
	if p.DefaultEnv != "" && !slices.Contains(names, p.DefaultEnv) {
		d.add(defaultAt, fmt.Sprintf("default_environment %q is not declared%s", p.DefaultEnv,
			text.DidYouMean(p.DefaultEnv, names)), "declared: "+strings.Join(names, ", "))
	}
}

// unmerged checks that code may be built before it is merged for declared
// environments only, and never for one that is marked prod.
func (d *decoder) unmerged(p *Project, names []string) {
	at := hcl.Range{Start: hcl.Pos{Line: p.CI.Line, Column: 1}}
	for _, name := range p.CI.Unmerged {
		i := slices.Index(names, name)
		switch {
		case i < 0:
			near := text.DidYouMean(name, names)
			d.add(at, fmt.Sprintf("unmerged: environment %q is not declared%s", name, near),
				"declared: "+strings.Join(names, ", "))
		case p.Environments[i].Prod:
			d.add(at, fmt.Sprintf("unmerged: the environment %q is marked prod, for which only merged code is built",
				name), "take it out of the list")
		}
	}
}

// declared checks that a setting names declared environments only.
func (d *decoder) declared(line int, setting string, environments, names []string) {
	at := hcl.Range{Start: hcl.Pos{Line: line, Column: 1}}
	for _, name := range environments {
		if !slices.Contains(names, name) {
			d.add(at, fmt.Sprintf("%s: environment %q is not declared%s", setting, name, text.DidYouMean(name, names)),
				"declared: "+strings.Join(names, ", "))
		}
	}
	if environments != nil && len(environments) == 0 {
		d.add(at, setting+" is empty", "name an environment, or leave the setting out")
	}
}

func (d *decoder) project(block *hclsyntax.Block, p *Project) {
	d.labels(block, 0)
	d.body(block, map[string]setting{
		"name":                name("project", &p.Name),
		"default_environment": name("environment", &p.DefaultEnv),
	}, "name")
}

func (d *decoder) environment(block *hclsyntax.Block, p *Project) {
	if !d.labels(block, 1) {
		return
	}
	env := Environment{Name: block.Labels[0], Line: block.TypeRange.Start.Line}
	if err := hybridcore.CheckName("environment", env.Name); err != nil {
		d.add(block.LabelRanges[0], err.Error(), "")
	}
	var clean *bool
	d.body(block, map[string]setting{
		"prod":      {cty.Bool, func(v cty.Value) error { env.Prod = v.True(); return nil }},
		"clean":     {cty.Bool, func(v cty.Value) error { clean = new(v.True()); return nil }},
		"platforms": list("platform", &env.Platforms, hybridcore.ParsePlatform),
		"parallel":  parallel(&env.Parallel),
	})
	env.Clean = env.Prod
	if clean != nil {
		env.Clean = *clean
	}
	if env.Platforms == nil {
		for _, info := range hybridcore.Platforms() {
			env.Platforms = append(env.Platforms, info.Name)
		}
	}
	p.Environments = append(p.Environments, env)
}

func (d *decoder) state(block *hclsyntax.Block, p *Project) {
	d.labels(block, 0)
	st := &p.State
	st.Line = block.TypeRange.Start.Line
	known := []string{BackendDirectory, BackendGit, BackendBucket}
	word := func(into *string) setting {
		return setting{cty.String, func(v cty.Value) error { *into = v.AsString(); return nil }}
	}
	d.body(block, map[string]setting{
		"backend": {cty.String, func(v cty.Value) error {
			st.Backend = v.AsString()
			if !slices.Contains(known, st.Backend) {
				return fmt.Errorf("unknown backend %q%s; known: %s", st.Backend, text.DidYouMean(st.Backend, known),
					strings.Join(known, ", "))
			}
			return nil
		}},
		"path": {cty.String, func(v cty.Value) error {
			st.Path = filepath.ToSlash(filepath.Clean(v.AsString()))
			if !filepath.IsLocal(v.AsString()) || st.Path == "." {
				return fmt.Errorf("the path %q does not name a folder below the project", v.AsString())
			}
			return nil
		}},
		"repository": word(&st.Repository), "ref": word(&st.Ref), "url": word(&st.URL),
		"sign": {cty.Bool, func(v cty.Value) error { st.Sign = v.True(); return nil }},
	})
	of := map[string]string{
		"path": BackendDirectory, "repository": BackendGit, "ref": BackendGit, "sign": BackendGit, "url": BackendBucket,
	}
	for _, attr := range hclfile.SortedAttributes(block.Body) {
		backend := of[attr.Name]
		if backend != "" && backend != st.Backend && slices.Contains(known, st.Backend) {
			d.add(attr.NameRange, fmt.Sprintf("%s is a setting of the backend %q, and the state's is %q", attr.Name, backend,
				st.Backend), fmt.Sprintf("leave it out, or set backend = %q", backend))
		}
	}
	if st.Backend == BackendBucket && st.URL == "" {
		d.add(block.TypeRange, "the state is in a bucket, and no url says in which", `set url = "s3://BUCKET/PREFIX"`)
	}
}

func (d *decoder) build(block *hclsyntax.Block, p *Project) {
	d.labels(block, 0)
	d.body(block, map[string]setting{
		"parallel":     parallel(&p.Build.Parallel),
		"cancel_grace": duration(minCancelGrace, maxCancelGrace, "5m", &p.Build.CancelGrace),
	})
}

func (d *decoder) merge(block *hclsyntax.Block, p *Project) {
	d.labels(block, 0)
	p.Merge.Line = block.TypeRange.Start.Line
	d.body(block, map[string]setting{"environments": environments(&p.Merge.Environments)}, "environments")
}

// environments reads a list of names of environments.
func environments(into *[]string) setting {
	return list("environment", into, func(name string) (string, error) {
		return name, hybridcore.CheckName("environment", name)
	})
}

func (d *decoder) ci(block *hclsyntax.Block, p *Project) {
	d.labels(block, 0)
	p.CI.Line = block.TypeRange.Start.Line
	d.body(block, map[string]setting{
		"unmerged":            environments(&p.CI.Unmerged),
		"change_environments": environments(&p.CI.ChangeEnvironments),
		"change":              commands(&p.CI.Change), "merge": commands(&p.CI.Merge), "tag": commands(&p.CI.Tag),
		"schedule": commands(&p.CI.Schedule),
		"runners":  {cty.Map(cty.List(cty.String)), func(v cty.Value) error { return runners(v, &p.CI.Runners) }},
	})
}
