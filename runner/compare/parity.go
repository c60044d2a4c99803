// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:28:05Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package compare

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Parity compares the images of a request across platforms: the current ones,
// or those of the run that it names; and with an earlier run if it names one,
// or if there is nothing else to compare an image with.
func (s Stage) Parity(ctx context.Context, req hybridcore.Request) (hybridcore.ParityReport, error) {
	env, images, err := s.images(ctx, req)
	if err != nil {
		return hybridcore.ParityReport{}, err
	}
	rules, err := s.Rules(env)
	if err != nil {
		return hybridcore.ParityReport{}, err
	}
	rules.Listed = hybridcore.MaxListed
	report := hybridcore.ParityReport{
		Env: env, Parity: []hybridcore.Parity{}, Changes: []hybridcore.Changes{},
		Notes: []string{},
	}
	var sets []parity.Set
	for _, group := range grouped(images) {
		set, err := s.loadSet(ctx, group)
		if err != nil {
			return hybridcore.ParityReport{}, err
		}
		sets = append(sets, set)
		if len(set.Sides) == 1 {
			report.Notes = append(report.Notes,
				fmt.Sprintf("%s is built for %s only: there is no other platform to compare with", set.Image,
					group[0].platform.Info().Title))
		}
		if len(set.Sides) == 1 || req.Against != "" {
			if err := s.against(ctx, req, &report, set); err != nil {
				return hybridcore.ParityReport{}, err
			}
		}
	}
	report.Parity = append(report.Parity, parity.Compare(sets, rules)...)
	return report, nil
}

// images lists what a request means: of a run, or what is current.
func (s Stage) images(ctx context.Context, req hybridcore.Request) (string, []image, error) {
	var found []image
	if req.Record != "" {
		rec, err := s.Project.State.Record(ctx, req.Record)
		if err != nil {
			return "", nil, err
		}
		if req.Env != "" && req.Env != rec.Request.Env {
			return "", nil, hybridcore.Usagef("run %s was for the environment %s, not %s", rec.RunID, rec.Request.Env, req.Env)
		}
		req.Env = rec.Request.Env
		found = recorded(rec)
	} else {
		env, err := s.Project.Config.Environment(req.Env)
		if err != nil {
			return "", nil, err
		}
		req.Env = env.Name
		snapshot, err := s.Project.State.Read(ctx)
		if err != nil {
			return "", nil, err
		}
		for _, key := range slices.Sorted(maps.Keys(snapshot.Targets)) {
			of, target, _ := strings.Cut(key, "/")
			name, platform, _ := strings.Cut(target, "@")
			if current := snapshot.Targets[key]; of == req.Env && current.Inventory != nil {
				found = append(found, image{name, hybridcore.Platform(platform), current.RunID, current.Inventory, current.Inputs})
			}
		}
	}
	found = slices.DeleteFunc(found,
		func(i image) bool { return !req.Wants(req.Env + "/" + i.name + "@" + string(i.platform)) })
	if len(found) == 0 {
		return "", nil, hybridcore.Usagef(
			"nothing to compare in the environment %s: no inventory of %s is recorded; build first, or name another run with "+
				"--record",
			req.Env, orAll(req.Images))
	}
	return req.Env, found, nil
}

// Built is what a run made, before it is recorded.
type Built struct {
	Run     string
	Results []hybridcore.Result
	// Inventories are those of this run, by name; those of others are in the state.
	Inventories map[string][]byte
}

// Built compares the images of which a run built at least one platform, and has
// at least two.
func (s Stage) Built(ctx context.Context, built Built, rules parity.Rules) []hybridcore.Parity {
	var sets []parity.Set
	var failed []hybridcore.Parity
	for _, group := range grouped(recorded(hybridcore.Record{Results: built.Results})) {
		fresh := slices.ContainsFunc(group, func(one image) bool { return one.run == built.Run })
		if len(group) < 2 || !fresh {
			continue
		}
		set, err := s.gather(ctx, group, built.Inventories)
		if err != nil {
			failed = append(failed, notComparable(group[0].name, s.Project.Redact(err.Error())))
			continue
		}
		sets = append(sets, set)
	}
	return append(parity.Compare(sets, rules), failed...)
}

// gather takes the inventories of this run from memory, others from the state.
func (s Stage) gather(ctx context.Context, group []image, own map[string][]byte) (parity.Set, error) {
	set := parity.Set{Image: group[0].name}
	for _, one := range group {
		load := func() (parity.Side, error) { return s.loadSide(ctx, one) }
		if data, is := own[project.InventoryName(hybridcore.TargetName(one.name, one.platform))]; is {
			load = func() (parity.Side, error) { return normal(one, data) }
		}
		side, err := load()
		if err != nil {
			return parity.Set{}, err
		}
		set.Sides = append(set.Sides, side)
	}
	return s.checked(set, group), nil
}
