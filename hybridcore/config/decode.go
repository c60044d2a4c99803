// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:13Z
// Spec: openspec/specs/config/spec.md#requirement-the-project-file
// Diagram: openspec/specs/config/diagram.md#the-project-file

package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// setting is one attribute of a block: its type, and what takes its value and
// says what is wrong with it.
type setting struct {
	want cty.Type
	set  func(cty.Value) error
}

// decoder collects the problems of one project file.
type decoder struct {
	file     *hclfile.File
	findings []hybridcore.Finding
}

func decode(file *hclfile.File) (Project, []hybridcore.Finding) {
	d := &decoder{file: file}
	p := Project{
		State: State{Backend: BackendDirectory, Path: DefaultStatePath},
		Build: Build{Parallel: DefaultParallel, CancelGrace: DefaultCancelGrace},
	}
	for _, attr := range hclfile.SortedAttributes(file.Body) {
		d.add(attr.NameRange, fmt.Sprintf("the setting %q stands outside of a block", attr.Name), "put it into a project, environment, state, build, ci or bot block")
	}
	known := []string{"project", "environment", "state", "build", "ci", "bot"}
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
		case "bot":
			d.bot(block, &p)
		default:
			d.add(block.TypeRange, fmt.Sprintf("unknown block %q%s", block.Type, hybridcore.DidYouMean(block.Type, known)), "known blocks: "+strings.Join(known, ", "))
		}
	}
	d.whole(&p, defaultAt)
	return p, d.findings
}

// whole checks what only the whole file shows, and fills the defaults that
// depend on other blocks.
func (d *decoder) whole(p *Project, defaultAt hcl.Range) {
	if p.Name == "" && defaultAt.Empty() {
		d.add(hcl.Range{Start: hcl.Pos{Line: 1, Column: 1}}, "the block project is missing", `add project { name = "golden-images" }`)
	}
	if len(p.Environments) == 0 {
		d.add(hcl.Range{Start: hcl.Pos{Line: 1, Column: 1}}, "no environment is declared", `add environment "lab" {} for the folder configs/lab/`)
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
				d.add(hcl.Range{Start: hcl.Pos{Line: scope.Line, Column: 1}}, fmt.Sprintf("environment %q is not declared%s", name, hybridcore.DidYouMean(name, names)), "declared: "+strings.Join(names, ", "))
			}
		}
	}
	d.unmerged(p, names)
	if p.DefaultEnv == "" && len(names) == 1 {
		p.DefaultEnv = names[0]
	}
	if p.DefaultEnv != "" && !slices.Contains(names, p.DefaultEnv) {
		d.add(defaultAt, fmt.Sprintf("default_environment %q is not declared%s", p.DefaultEnv, hybridcore.DidYouMean(p.DefaultEnv, names)), "declared: "+strings.Join(names, ", "))
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
			near := hybridcore.DidYouMean(name, names)
			d.add(at, fmt.Sprintf("unmerged: environment %q is not declared%s", name, near), "declared: "+strings.Join(names, ", "))
		case p.Environments[i].Prod:
			d.add(at, fmt.Sprintf("unmerged: the environment %q is marked prod, for which only merged code is built",
				name), "take it out of the list")
		}
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
	d.body(block, map[string]setting{
		"prod":      {cty.Bool, func(v cty.Value) error { env.Prod = v.True(); return nil }},
		"platforms": list("platform", &env.Platforms, hybridcore.ParsePlatform),
		"parallel":  parallel(&env.Parallel),
	})
	if env.Platforms == nil {
		for _, info := range hybridcore.Platforms() {
			env.Platforms = append(env.Platforms, info.Name)
		}
	}
	p.Environments = append(p.Environments, env)
}

func (d *decoder) state(block *hclsyntax.Block, p *Project) {
	d.labels(block, 0)
	d.body(block, map[string]setting{
		"backend": {cty.String, func(v cty.Value) error {
			p.State.Backend = v.AsString()
			if p.State.Backend != BackendDirectory {
				return fmt.Errorf("unknown backend %q%s; known: %s", p.State.Backend, hybridcore.DidYouMean(p.State.Backend, []string{BackendDirectory}), BackendDirectory)
			}
			return nil
		}},
		"path": {cty.String, func(v cty.Value) error {
			p.State.Path = filepath.ToSlash(filepath.Clean(v.AsString()))
			if !filepath.IsLocal(v.AsString()) || p.State.Path == "." {
				return fmt.Errorf("the path %q does not name a folder below the project", v.AsString())
			}
			return nil
		}},
	})
}

func (d *decoder) build(block *hclsyntax.Block, p *Project) {
	d.labels(block, 0)
	d.body(block, map[string]setting{
		"parallel":     parallel(&p.Build.Parallel),
		"cancel_grace": duration(minCancelGrace, maxCancelGrace, "5m", &p.Build.CancelGrace),
	})
}

// duration reads a duration within bounds.
func duration(least, most time.Duration, example string, into *time.Duration) setting {
	return setting{cty.String, func(v cty.Value) error {
		d, err := time.ParseDuration(v.AsString())
		if err != nil || d < least || d > most {
			return fmt.Errorf("%q is not a duration from %s to %s, for example %q", v.AsString(), least, most, example)
		}
		*into = d
		return nil
	}}
}

func (d *decoder) ci(block *hclsyntax.Block, p *Project) {
	d.labels(block, 0)
	p.CI.Line = block.TypeRange.Start.Line
	d.body(block, map[string]setting{
		"unmerged": list("environment", &p.CI.Unmerged, func(name string) (string, error) {
			return name, hybridcore.CheckName("environment", name)
		}),
		"change": commands(&p.CI.Change), "merge": commands(&p.CI.Merge), "tag": commands(&p.CI.Tag), "schedule": commands(&p.CI.Schedule),
		"runners": {cty.Map(cty.List(cty.String)), func(v cty.Value) error { return runners(v, &p.CI.Runners) }},
	})
}

// body reads a block that has no blocks.
func (d *decoder) body(block *hclsyntax.Block, settings map[string]setting, required ...string) {
	names := slices.Sorted(maps.Keys(settings))
	for _, inner := range block.Body.Blocks {
		d.add(inner.TypeRange, fmt.Sprintf("unknown block %q in %s%s", inner.Type, block.Type, hybridcore.DidYouMean(inner.Type, names)), "settings here: "+strings.Join(names, ", "))
	}
	d.settings(block, settings, required...)
}

// settings reads the settings of a block; unknown, mistyped and missing ones
// become findings.
func (d *decoder) settings(block *hclsyntax.Block, settings map[string]setting, required ...string) {
	names := slices.Sorted(maps.Keys(settings))
	for _, attr := range hclfile.SortedAttributes(block.Body) {
		known, ok := settings[attr.Name]
		if !ok {
			d.add(attr.NameRange, fmt.Sprintf("unknown setting %q in %s%s", attr.Name, block.Type, hybridcore.DidYouMean(attr.Name, names)), "settings here: "+strings.Join(names, ", "))
			continue
		}
		literal, findings := d.file.Literal(attr)
		d.findings = append(d.findings, findings...)
		if len(findings) > 0 {
			continue
		}
		value, err := strict(literal.Value, known.want)
		if err == nil {
			err = known.set(value)
		}
		if err != nil {
			d.add(attr.Expr.Range(), fmt.Sprintf("%s: %v", attr.Name, err), "")
		}
	}
	for _, name := range required {
		if _, ok := block.Body.Attributes[name]; !ok {
			d.add(block.TypeRange, fmt.Sprintf("%s needs the setting %q", block.Type, name), "")
		}
	}
}

// strict converts lists, but no value of one kind into another: "true" is not
// a bool in a project file.
func strict(value cty.Value, want cty.Type) (cty.Value, error) {
	if value.IsNull() {
		return cty.NilVal, fmt.Errorf("a %s is needed, not null", want.FriendlyName())
	}
	if want.IsPrimitiveType() && !value.Type().Equals(want) {
		return cty.NilVal, fmt.Errorf("a %s is needed, not a %s", want.FriendlyName(), value.Type().FriendlyName())
	}
	converted, _, err := hclfile.Convert(value, want)
	if err != nil {
		return cty.NilVal, fmt.Errorf("a %s is needed: %w", want.FriendlyName(), err)
	}
	return converted, nil
}

func (d *decoder) labels(block *hclsyntax.Block, want int) bool {
	if len(block.Labels) == want {
		return true
	}
	message := fmt.Sprintf("the block %s takes no name", block.Type)
	if want == 1 {
		message = fmt.Sprintf("the block %s needs one name: %s \"lab\" { ... }", block.Type, block.Type)
	}
	d.add(block.TypeRange, message, "")
	return false
}

func (d *decoder) add(at hcl.Range, message, hint string) {
	d.findings = append(d.findings, d.file.Finding(hybridcore.KindSchema, at, message, hint))
}

func name(what string, into *string) setting {
	return setting{cty.String, func(v cty.Value) error {
		*into = v.AsString()
		return hybridcore.CheckName(what, *into)
	}}
}

func parallel(into *int) setting { return count(maxParallel, into) }

// list reads a list of strings, each made a value by parse, without repeats.
func list[T comparable](what string, into *[]T, parse func(string) (T, error)) setting {
	return setting{cty.List(cty.String), func(v cty.Value) error {
		*into = []T{}
		for _, element := range v.Elements() {
			if element.IsNull() {
				return fmt.Errorf("null is no %s", what)
			}
			one, err := parse(element.AsString())
			if err != nil {
				return err
			}
			if slices.Contains(*into, one) {
				return fmt.Errorf("%.40q is listed twice", element.AsString())
			}
			*into = append(*into, one)
		}
		return nil
	}}
}

// commands are lines of the shared grammar.
func commands(into *[]string) setting {
	return list("command", into, func(line string) (string, error) {
		_, err := hybridcore.Parse(line)
		return line, err
	})
}

// maxLabels bounds the labels of one platform: a runner must have all of them.
const maxLabels = 8

var labelRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,63}$`)

// runners are lists of labels by platform.
func runners(v cty.Value, into *map[hybridcore.Platform][]string) error {
	*into = map[hybridcore.Platform][]string{}
	for name, list := range v.AsValueMap() {
		platform, err := hybridcore.ParsePlatform(name)
		if err != nil {
			return err
		}
		if list.IsNull() || list.LengthInt() == 0 || list.LengthInt() > maxLabels {
			return fmt.Errorf("%s needs 1 to %d labels", name, maxLabels)
		}
		for _, label := range list.AsValueSlice() {
			if label.IsNull() || !labelRule.MatchString(label.AsString()) {
				return fmt.Errorf("a label of %s is not 1 to 64 of letters, digits, ' ', '.', '_', ':', '/' and '-'", name)
			}
			(*into)[platform] = append((*into)[platform], label.AsString())
		}
	}
	return nil
}
