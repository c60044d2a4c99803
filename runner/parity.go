// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:28:05Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
)

// maxLookBack bounds the records that are read for a target's previous build.
const maxLookBack = 200

// image is one built target whose inventory can be had.
type image struct {
	name      string
	platform  hybridcore.Platform
	run       string
	inventory *hybridcore.Inventory
	inputs    map[string]string // of its build
}

// Parity compares the images of a request across platforms: the current ones,
// or those of the run that it names; and with an earlier run if it names one,
// or if there is nothing else to compare an image with.
func (r *Runner) Parity(ctx context.Context, req hybridcore.Request) (hybridcore.ParityReport, error) {
	env, images, err := r.images(ctx, req)
	if err != nil {
		return hybridcore.ParityReport{}, err
	}
	rules, err := r.rules(env)
	if err != nil {
		return hybridcore.ParityReport{}, err
	}
	report := hybridcore.ParityReport{Env: env, Parity: []hybridcore.Parity{}, Changes: []hybridcore.Changes{}, Notes: []string{}}
	var sets []parity.Set
	for _, group := range grouped(images) {
		set, err := r.loadSet(ctx, group)
		if err != nil {
			return hybridcore.ParityReport{}, err
		}
		sets = append(sets, set)
		if len(set.Sides) == 1 {
			report.Notes = append(report.Notes, fmt.Sprintf("%s is built for %s only: there is no other platform to compare with", set.Image, group[0].platform.Info().Title))
		}
		if len(set.Sides) == 1 || req.Against != "" {
			if err := r.against(ctx, req, &report, set); err != nil {
				return hybridcore.ParityReport{}, err
			}
		}
	}
	report.Parity = append(report.Parity, parity.Compare(sets, rules)...)
	return report, nil
}

// images lists what a request means: of a run, or what is current.
func (r *Runner) images(ctx context.Context, req hybridcore.Request) (string, []image, error) {
	var found []image
	if req.Record != "" {
		rec, err := r.State.Record(ctx, req.Record)
		if err != nil {
			return "", nil, err
		}
		if req.Env != "" && req.Env != rec.Request.Env {
			return "", nil, hybridcore.Usagef("run %s was for the environment %s, not %s", rec.RunID, rec.Request.Env, req.Env)
		}
		req.Env = rec.Request.Env
		found = recorded(rec)
	} else {
		env, err := r.Project.Environment(req.Env)
		if err != nil {
			return "", nil, err
		}
		req.Env = env.Name
		snapshot, err := r.State.Read(ctx)
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
	found = slices.DeleteFunc(found, func(i image) bool { return !req.Wants(req.Env + "/" + i.name + "@" + string(i.platform)) })
	if len(found) == 0 {
		return "", nil, hybridcore.Usagef("nothing to compare in the environment %s: no inventory of %s is recorded; build first, or name another run with --record",
			req.Env, orAll(req.Images))
	}
	return req.Env, found, nil
}

func orAll(images []string) string {
	if len(images) == 0 {
		return "any image"
	}
	return strings.Join(images, ", ")
}

// recorded lists what a run built or found built.
func recorded(rec hybridcore.Record) []image {
	var found []image
	for _, res := range rec.Results {
		if res.Inventory != nil && (res.Status == hybridcore.Built || res.Status == hybridcore.UnchangedDone) {
			found = append(found, image{res.Image, res.Platform, inventoryRun(res.Inventory), res.Inventory, res.Inputs})
		}
	}
	return found
}

// inventoryRun is the run that an inventory belongs to, from its path
// records/RUN/NAME.
func inventoryRun(inv *hybridcore.Inventory) string {
	parts := strings.Split(inv.File, "/")
	return parts[max(0, len(parts)-2)]
}

// grouped puts the platforms of each image together, in report order.
func grouped(images []image) [][]image {
	var groups [][]image
	order := hybridcore.PlatformNames()
	slices.SortStableFunc(images, func(a, b image) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return slices.Index(order, string(a.platform)) - slices.Index(order, string(b.platform))
	})
	for i, one := range images {
		if i == 0 || images[i-1].name != one.name {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], one)
	}
	return groups
}

// loadSet reads the inventories of one image, all at the same time.
func (r *Runner) loadSet(ctx context.Context, group []image) (parity.Set, error) {
	set, errs := parity.Set{Image: group[0].name, Sides: make([]parity.Side, len(group))}, make([]error, len(group))
	var all sync.WaitGroup
	for i, one := range group {
		all.Go(func() { set.Sides[i], errs[i] = r.loadSide(ctx, one) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return set, err
	}
	return r.checked(set, group), nil
}

// loadSide reads a stored inventory, which must be what the record says.
func (r *Runner) loadSide(ctx context.Context, one image) (parity.Side, error) {
	data, err := r.State.Attachment(ctx, one.inventory.File)
	if err != nil {
		return parity.Side{}, err
	}
	if got := parity.Digest(data); got != one.inventory.SHA256 {
		return parity.Side{}, hybridcore.Blockedf("the inventory %s is not what its record says: sha256 %.12s, recorded %.12s; build the image again",
			one.inventory.File, got, one.inventory.SHA256)
	}
	return normal(one, data)
}

func normal(one image, data []byte) (parity.Side, error) {
	inventory, err := parity.Parse(data)
	if err != nil {
		return parity.Side{}, fmt.Errorf("%s: %w", one.inventory.File, err)
	}
	n, err := parity.Normalise(inventory)
	if err != nil {
		return parity.Side{}, fmt.Errorf("%s: %w", one.inventory.File, err)
	}
	return parity.Side{Platform: one.platform, Run: one.run, Inventory: n}, nil
}

// against adds the change reports of an image: since the run that the request
// names, or since the previous build of the target.
func (r *Runner) against(ctx context.Context, req hybridcore.Request, report *hybridcore.ParityReport, set parity.Set) error {
	for _, now := range set.Sides {
		was, err := r.earlier(ctx, req, report.Env, set.Image, now)
		if err != nil {
			return err
		}
		if was == nil {
			text := fmt.Sprintf("%s@%s: no earlier build than that of run %s is recorded", set.Image, now.Platform, now.Run)
			if req.Against != "" {
				text = fmt.Sprintf("%s@%s: run %s has no inventory of it", set.Image, now.Platform, req.Against)
			}
			report.Notes = append(report.Notes, text)
			continue
		}
		old, err := r.loadSide(ctx, *was)
		if err != nil {
			return err
		}
		report.Changes = append(report.Changes, parity.Report(set.Image, old, now))
	}
	return nil
}

// Since is what is in the images that a run built and was not in those of the
// builds before, each target for itself; it has none of what was built first.
func (r *Runner) Since(ctx context.Context, rec hybridcore.Record) ([]hybridcore.Changes, error) {
	report := hybridcore.ParityReport{Env: rec.Request.Env, Changes: []hybridcore.Changes{}}
	for _, one := range recorded(rec) {
		if one.run != rec.RunID {
			continue
		}
		set, err := r.loadSet(ctx, []image{one})
		if err == nil {
			err = r.against(ctx, hybridcore.Request{}, &report, set)
		}
		if err != nil {
			return report.Changes, err
		}
	}
	return report.Changes, nil
}

// earlier finds the build to compare a target with; nil when there is none.
func (r *Runner) earlier(ctx context.Context, req hybridcore.Request, env, name string, now parity.Side) (*image, error) {
	runs := []string{req.Against}
	if req.Against == "" {
		var err error
		if runs, err = r.before(ctx, now.Run); err != nil {
			return nil, err
		}
	}
	for _, id := range runs {
		rec, err := r.State.Record(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, one := range recorded(rec) {
			if rec.Request.Env == env && one.name == name && one.platform == now.Platform && (one.run != now.Run || req.Against != "") {
				return &one, nil
			}
		}
	}
	return nil, nil //nolint:nilnil // there is none, which is no error
}

// before lists the runs before one, the newest first. IDs sort by the second
// in which a run started.
func (r *Runner) before(ctx context.Context, run string) ([]string, error) {
	this, err := r.State.Record(ctx, run)
	if err != nil {
		return nil, err
	}
	all, err := r.State.Records(ctx)
	if err != nil {
		return nil, err
	}
	second, _, _ := strings.Cut(run, "-")
	all = slices.DeleteFunc(all, func(id string) bool { return id == run || id > second+"~" })
	slices.Reverse(all)
	var runs []string
	for _, id := range all[:min(len(all), maxLookBack)] {
		later := strings.HasPrefix(id, second+"-")
		if later {
			rec, err := r.State.Record(ctx, id)
			if err != nil {
				return nil, err
			}
			later = !rec.At.Before(this.At)
		}
		if !later {
			runs = append(runs, id)
		}
	}
	return runs, nil
}

// rules reads what comparisons are judged by.
func (r *Runner) rules(env string) (parity.Rules, error) {
	_, root, err := r.templates()
	if err != nil {
		return parity.Rules{}, err
	}
	allow, err := parity.ReadAllow(root)
	if err != nil {
		return parity.Rules{}, err
	}
	return parity.Rules{Env: env, Allow: allow, Origins: parity.ReadOrigins(root, env)}, nil
}

// compare compares the images of which a run built at least one platform, and
// has at least two.
func (x *run) compare(ctx context.Context, results []hybridcore.Result) []hybridcore.Parity {
	rec := hybridcore.Record{Results: results}
	var sets []parity.Set
	var failed []hybridcore.Parity
	for _, group := range grouped(recorded(rec)) {
		fresh := slices.ContainsFunc(group, func(one image) bool { return one.run == x.id })
		if len(group) < 2 || !fresh {
			continue
		}
		set, err := x.gather(ctx, group)
		if err != nil {
			failed = append(failed, notComparable(group[0].name, x.redact(err.Error())))
			continue
		}
		sets = append(sets, set)
	}
	return append(parity.Compare(sets, x.judgedBy), failed...)
}

// gather takes the inventories of this run from memory, others from the state.
func (x *run) gather(ctx context.Context, group []image) (parity.Set, error) {
	set := parity.Set{Image: group[0].name}
	for _, one := range group {
		load := func() (parity.Side, error) { return x.loadSide(ctx, one) }
		if data, own := x.inventories[inventoryName(hybridcore.TargetName(one.name, one.platform))]; own {
			load = func() (parity.Side, error) { return normal(one, data) }
		}
		side, err := load()
		if err != nil {
			return parity.Set{}, err
		}
		set.Sides = append(set.Sides, side)
	}
	return x.checked(set, group), nil
}

func notComparable(name, why string) hybridcore.Parity {
	return hybridcore.Parity{Image: name, Policy: hybridcore.ParityBlock, Findings: []hybridcore.Finding{{
		Kind: "parity", Subject: name, Message: "the images of " + name + " cannot be compared: " + why,
		Severity: hybridcore.Error, Blocking: true,
	}}}
}
