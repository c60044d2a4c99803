// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:58:07Z
// Spec: openspec/specs/plan/spec.md#requirement-explain-a-variable
// Diagram: openspec/specs/plan/diagram.md#layers

package plan

import (
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Explain says where the value of a variable of one target comes from. The
// request names the variable, one image and one platform. An unknown variable is a
// UsageError with the nearest name.
func (s Stage) Explain(req hybridcore.Request) (hybridcore.Explanation, error) {
	name := req.Variable
	if len(req.Images) != 1 || len(req.Platforms) != 1 {
		return hybridcore.Explanation{}, hybridcore.Usagef(
			"explain needs one image and one platform: --os IMAGE --platform PLATFORM")
	}
	t, err := s.workingTree(req.Env)
	if err != nil {
		return hybridcore.Explanation{}, err
	}
	target, findings, err := t.resolve(pair{req.Images[0], req.Platforms[0]}, s.Project.Environ)
	if err != nil {
		return hybridcore.Explanation{}, err
	}
	declared := t.set.Declarations(target)
	names := make([]string, 0, len(declared))
	for _, d := range declared {
		names = append(names, d.Name)
	}
	at := slices.Index(names, name)
	if at < 0 {
		if slices.Contains(t.set.Elsewhere(target), name) {
			return hybridcore.Explanation{}, hybridcore.Usagef("the variable %s is declared for other targets, not for %s", name,
				target.Name())
		}
		return hybridcore.Explanation{}, hybridcore.Usagef("no template declares the variable %.80q%s", name,
			text.DidYouMean(name, names))
	}
	d := declared[at]
	e := hybridcore.Explanation{
		Target: target.Name(), Env: target.Env, Variable: name, Type: d.TypeName(), Description: d.Description, File: d.File,
		Line:      d.Line,
		Sensitive: d.Sensitive, Connection: target.Platform.IsConnection(name),
	}
	for _, f := range findings {
		if f.Subject == name {
			e.Findings = append(e.Findings, f)
		}
	}
	_, e.Run = RunValues(target, "", "", "")[name]
	e.Layers = t.layers(target, e)
	return e, nil
}

// layers lists the places that a variable is looked for in, lowest first.
func (t *tree) layers(target hybridcore.Target, e hybridcore.Explanation) []hybridcore.ReadLayer {
	places := []hybridcore.Layer{{Name: config.LayerDefault}}
	places = append(places, t.set.LayerFiles(target.Image, target.Platform, target.Env)...)
	places = append(places, hybridcore.Layer{Name: config.LayerEnvironment})
	if e.Run {
		places = append(places, hybridcore.Layer{Name: config.LayerRun})
	}
	var set []hybridcore.Layer
	for _, v := range target.Variables {
		if v.Name == e.Variable {
			set = v.Layers
		}
	}
	var all []hybridcore.ReadLayer
	for _, place := range places {
		read := hybridcore.ReadLayer{Layer: place, State: hybridcore.LayerSilent}
		i := slices.IndexFunc(set, func(l hybridcore.Layer) bool { return l.Name == place.Name })
		switch {
		case i >= 0 && i == len(set)-1:
			read.Layer, read.State = set[i], hybridcore.LayerWins
		case i >= 0:
			read.Layer, read.State = set[i], hybridcore.LayerSets
		case place.File != "":
			if found, problems := t.reader.Layers([]hybridcore.Layer{place}); len(found)+len(problems) == 0 {
				read.State = hybridcore.LayerMissing
			}
		}
		all = append(all, read)
	}
	return all
}
