// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:52:26Z
// Spec: openspec/specs/plan/spec.md#requirement-difference-to-a-commit
// Diagram: openspec/specs/plan/diagram.md#two-trees

package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// tree is the project in one state: the working tree, or that of a commit.
type tree struct {
	files  fs.FS
	env    config.Environment
	set    *templates.Set
	reader *config.Reader
	lock   sources.Lock
}

// readTree loads the project from its files. What is wrong in them is a
// UsageError or a *hybridcore.FindingsError.
func readTree(files fs.FS, env string) (*tree, error) {
	project, err := config.LoadFS(files)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hybridcore.Usagef("there is no %s", config.FileName)
	}
	if err != nil {
		return nil, err
	}
	t := &tree{files: files, reader: config.NewReaderFS(files)}
	if t.env, err = project.Environment(env); err != nil {
		return nil, err
	}
	if t.set, err = templates.LoadFS(files); err != nil {
		return nil, err
	}
	if t.lock, err = sources.LoadFS(files); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return t, nil
}

// has says whether the tree makes an image on a platform.
func (t *tree) has(which pair) bool {
	return slices.ContainsFunc(t.set.Images(),
		func(i hybridcore.Image) bool { return i.Name == which.image && t.makes(i, which.platform) })
}

func (t *tree) makes(image hybridcore.Image, platform hybridcore.Platform) bool {
	return t.env.Has(platform) && slices.Contains(image.Platforms, platform)
}

// resolve returns a target with its variables, and what is wrong with them. A
// way to build for which there is no template is a *hybridcore.FindingsError.
func (t *tree) resolve(which pair, environ []string) (hybridcore.Target, []hybridcore.Finding, error) {
	image, err := t.set.Image(which.image)
	if err != nil {
		return hybridcore.Target{}, nil, err
	}
	layers, findings := t.reader.Layers(t.set.LayerFiles(image, which.platform, t.env.Name))
	in := config.Input{Platform: which.platform, Env: t.env.Name, Layers: layers, Environ: environ}
	target, err := t.set.Target(which.image, which.platform, t.env.Name, t.from(in))
	if wrong, ok := errors.AsType[*hybridcore.FindingsError](err); ok {
		return hybridcore.Target{}, nil, &hybridcore.FindingsError{Findings: append(findings, wrong.Findings...)}
	}
	if err != nil {
		return hybridcore.Target{}, nil, err
	}
	in.Run, in.Declarations, in.Elsewhere = RunValues(target, "", "",
		""), t.set.Declarations(target), t.set.Elsewhere(target)
	variables, more := config.Resolve(in)
	target.Variables = variables
	return target, append(findings, more...), nil
}

// from reads what a target's builds start from ahead of its other variables:
// it decides which these are. What is wrong with it is found with the others.
func (t *tree) from(in config.Input) hybridcore.Variable {
	in.Declarations = t.set.Choice(in.Platform)
	if len(in.Declarations) == 0 {
		return hybridcore.Variable{}
	}
	in.Layers = config.Only(in.Layers, in.Declarations[0].Name)
	variables, _ := config.Resolve(in)
	if len(variables) == 0 {
		return hybridcore.Variable{}
	}
	return variables[0]
}

// pins are the plugin versions that the lock asks for; without a pin, the
// constraint of the template.
func (t *tree) pins(target hybridcore.Target) map[string]string {
	versions := map[string]string{}
	for _, plugin := range t.set.Plugins(target) {
		versions["plugin:"+plugin.Source] = plugin.Version
		if pin, ok := t.pin(plugin.Source); ok {
			versions["plugin:"+plugin.Source] = pin.Version
		}
	}
	return versions
}

func (t *tree) pin(address string) (sources.Plugin, bool) {
	i := slices.IndexFunc(t.lock.Plugins, func(p sources.Plugin) bool { return p.Address == address })
	if i < 0 {
		return sources.Plugin{}, false
	}
	return t.lock.Plugins[i], true
}

// plugin is the line that decides a plugin's version: of its pin, or of the
// template that asks for it.
func (t *tree) plugin(target hybridcore.Target, address string) (string, int) {
	if pin, ok := t.pin(address); ok {
		return sources.LockPath, pin.Line
	}
	for _, plugin := range t.set.Plugins(target) {
		if plugin.Source == address {
			return plugin.File, plugin.Line
		}
	}
	return "", 0
}

// moved lists the upstream sources whose pin differs between two trees.
func moved(was, now sources.Lock) []hybridcore.Reason {
	pin := func(s sources.Source) string {
		if s.Tag == "" {
			return s.Commit
		}
		return fmt.Sprintf("%s (%.12s)", s.Tag, s.Commit)
	}
	before := map[string]sources.Source{}
	for _, s := range was.Sources {
		before[s.Name] = s
	}
	var reasons []hybridcore.Reason
	for _, s := range now.Sources {
		old, had := before[s.Name]
		delete(before, s.Name)
		if had && old.Commit == s.Commit && old.URL == s.URL {
			continue
		}
		r := hybridcore.Reason{
			Kind: "upstream", Subject: s.Name, Now: pin(s), File: sources.LockPath, Line: s.Line,
			Text: fmt.Sprintf("new upstream %s: %s", s.Name, pin(s)),
		}
		if had {
			r.Was, r.Text = pin(old), fmt.Sprintf("upstream %s: %s → %s", s.Name, pin(old), pin(s))
		}
		reasons = append(reasons, r)
	}
	for _, s := range was.Sources {
		if _, gone := before[s.Name]; gone {
			reasons = append(reasons,
				hybridcore.Reason{
					Kind: "upstream", Subject: s.Name, Was: pin(s),
					Text: fmt.Sprintf("upstream %s is gone (was %s)", s.Name, pin(s)),
				})
		}
	}
	return reasons
}

// pair is one image on one platform.
type pair struct {
	image    string
	platform hybridcore.Platform
}

// RunValues are the values that differ from run to run, as JSON. A plan takes
// them empty: they go into no digest.
func RunValues(t hybridcore.Target, runID, manifest, inventory string) map[string]string {
	artifact := ""
	if runID != "" {
		artifact = project.ArtifactName(t.Image.Name, runID)
	}
	values := map[string]string{}
	for name, text := range map[string]string{
		"run_id": runID, "image": t.Image.Name, "environment": t.Env, "artifact_name": artifact,
		"manifest_path": manifest, "inventory_path": inventory,
	} {
		encoded, err := json.Marshal(text)
		if err != nil {
			panic(fmt.Sprintf("runner: a string does not encode: %v", err))
		}
		values[name] = string(encoded)
	}
	return values
}

// WithRun sets the run's values in a copy of the variables.
func WithRun(variables []hybridcore.Variable, values map[string]string) []hybridcore.Variable {
	set := slices.Clone(variables)
	for i, v := range set {
		if value, ok := values[v.Name]; ok {
			set[i].JSON = value
			set[i].Layers = []hybridcore.Layer{{Name: config.LayerRun, Value: value}}
		}
	}
	return set
}

func key(env string, which pair) string {
	return env + "/" + hybridcore.TargetName(which.image, which.platform)
}
