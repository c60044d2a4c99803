// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:36:00Z
// Spec: openspec/specs/runner/spec.md#requirement-publish-all-or-none
// Diagram: openspec/specs/runner/diagram.md#publish

package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
)

// publishing is a release on its way.
type publishing struct {
	*run
	release hybridcore.Release
	// before is the same release as it was published earlier; nil for a new one.
	before  *hybridcore.Release
	results []hybridcore.Result // of the plan's targets
}

// Publish marks what a plan finds built as a release. Everything is looked up
// first; when anything is missing or the platforms differ, nothing is marked. A
// release that was published before is completed, and unchanged when nothing
// was missing. The record is returned also when it could not be stored.
func (r *Runner) Publish(ctx context.Context, plan hybridcore.Plan) (hybridcore.Record, error) {
	if hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
		return hybridcore.Record{}, &hybridcore.FindingsError{Findings: blocking(plan.Findings)}
	}
	if len(plan.Targets) == 0 {
		return hybridcore.Record{}, hybridcore.Usagef("there is nothing to publish in the environment %s", plan.Request.Env)
	}
	p := &publishing{run: &run{Runner: r, plan: plan, id: plan.Request.ID}}
	var err error
	if p.judgedBy, err = r.rules(plan.Request.Env); err != nil {
		return hybridcore.Record{}, err
	}
	started := r.Now()
	p.begin()
	if err := p.name(ctx); err != nil {
		return hybridcore.Record{}, err
	}
	p.check(ctx)
	switch {
	case !p.whole():
		p.refuse()
	case plan.Request.DryRun:
		p.wouldMark()
	default:
		abreast(len(p.results), p.parallel(), func(i int) { p.markOne(ctx, i) })
	}
	rec := p.summary(started, p.results)
	if rec.Status == hybridcore.Published {
		rec.Release = &p.release
	}
	if p.before != nil && rec.Status == hybridcore.UnchangedDone {
		rec.Release = p.before
	}
	return p.keepRelease(ctx, rec)
}

// begin makes a result for each target, and fails those that are not built from
// this tree.
func (p *publishing) begin() {
	for _, t := range p.plan.Targets {
		res := hybridcore.Result{
			Target: t.Target.Name(), Image: t.Target.Image.Name, Platform: t.Target.Platform, Digest: t.Target.Digest, Recipe: t.Target.Recipe,
			Started: p.Now(), Status: hybridcore.Published, Notes: placeNotes(t.Target),
		}
		switch {
		case t.Decision != hybridcore.Unchanged:
			fail(&res, notBuilt(t.Reasons)+"; build it first")
		case t.Current == nil || t.Current.Artifact == nil || len(t.Current.Artifact.URIs) == 0:
			fail(&res, "the state knows no artifact of it; build it again")
		default:
			res.Artifact, res.Inventory = t.Current.Artifact, t.Current.Inventory
		}
		p.results = append(p.results, res)
	}
}

// notBuilt says why what a plan would build cannot be published.
func notBuilt(reasons []hybridcore.Reason) string {
	switch {
	case len(reasons) == 0:
		return "it is not built from this tree: never built"
	case reasons[0].Kind == kindLab:
		return reasons[0].Text
	default:
		return "it is not built from this tree: " + reasons[0].Text
	}
}

func fail(res *hybridcore.Result, message string) {
	res.Status, res.Failure = hybridcore.Failed, &hybridcore.Failure{Message: message}
}

// fails ends a target with an error, or as cancelled when the run was.
func (p *publishing) fails(ctx context.Context, res *hybridcore.Result, err error) {
	fail(res, p.redact(err.Error()))
	if ctx.Err() != nil {
		res.Status = hybridcore.Cancelled
	}
}

// whole says whether nothing speaks against the release so far.
func (p *publishing) whole() bool {
	return !slices.ContainsFunc(p.parity, hybridcore.Parity.Blocked) &&
		!slices.ContainsFunc(p.results, func(r hybridcore.Result) bool { return r.Failure != nil })
}

// check compares the platforms, and looks every artifact up.
func (p *publishing) check(ctx context.Context) {
	var sets []parity.Set
	byImage := map[string][]image{}
	for _, res := range p.results {
		if res.Artifact != nil {
			byImage[res.Image] = append(byImage[res.Image], image{name: res.Image, platform: res.Platform, inventory: res.Inventory})
		}
	}
	for _, res := range p.results {
		group := byImage[res.Image]
		delete(byImage, res.Image)
		if len(group) < 2 {
			continue
		}
		if at := slices.IndexFunc(group, func(i image) bool { return i.inventory == nil }); at >= 0 {
			p.parity = append(p.parity, notComparable(res.Image, "the build for "+group[at].platform.Info().Title+" left no inventory"))
			continue
		}
		for i := range group {
			group[i].run = inventoryRun(group[i].inventory)
		}
		set, err := p.loadSet(ctx, group)
		if err != nil {
			p.parity = append(p.parity, notComparable(res.Image, p.redact(err.Error())))
			continue
		}
		sets = append(sets, set)
	}
	p.parity = append(parity.Compare(sets, p.judgedBy), p.parity...)
	abreast(len(p.results), p.parallel(), func(i int) {
		if res := &p.results[i]; res.Status != hybridcore.Failed {
			if err := p.lookUp(ctx, p.plan.Targets[i], *res.Artifact); err != nil {
				p.fails(ctx, res, err)
			}
		}
	})
}

// lookUp finds an artifact on its platform, all of it.
func (p *publishing) lookUp(ctx context.Context, planned hybridcore.PlannedTarget, a hybridcore.Artifact) error {
	return p.with(ctx, planned.Target, func(c Client) error {
		there := map[string][]hybridcore.URI{}
		var gone []string
		for _, uri := range a.URIs {
			found, known := there[uri.Name]
			if !known {
				var err error
				if found, err = c.Find(ctx, uri.Name); err != nil {
					return err
				}
				there[uri.Name] = found
			}
			if !slices.Contains(found, uri) {
				gone = append(gone, uri.Kind+" "+uri.Name+" ("+uri.ID+")")
			}
		}
		if len(gone) > 0 {
			return fmt.Errorf("%s has no %s any more: deleted, renamed or replaced since run %s; build it again",
				planned.Target.Platform.Info().Title, strings.Join(gone, ", "), planned.Current.RunID)
		}
		return nil
	})
}

// markOne marks all objects of one target.
func (p *publishing) markOne(ctx context.Context, i int) {
	res, t := &p.results[i], p.plan.Targets[i].Target
	was := p.plan.Targets[i].Current
	mark := hybridcore.Mark{Release: p.release.Name, Image: res.Image, RunID: was.RunID, Commit: was.Commit}
	err := p.with(ctx, t, func(c Client) error {
		marker, ok := c.(Marker)
		if !ok {
			return hybridcore.Blockedf("the client of %s marks nothing", t.Platform.Info().Title)
		}
		var errs []error
		fresh := false
		for _, uri := range res.Artifact.URIs {
			changed, err := marker.Mark(ctx, uri, mark)
			fresh, errs = fresh || changed, append(errs, err)
		}
		if !fresh && p.before != nil && p.before.Find(res.Image, res.Platform) != nil {
			res.Status = hybridcore.UnchangedDone
		}
		return errors.Join(errs...)
	})
	res.Duration = p.Now().Sub(res.Started)
	if err != nil {
		p.fails(ctx, res, fmt.Errorf("%w; run publish again: it completes the release %s", err, p.release.Name))
		return
	}
	res.Notes = append(res.Notes, "release: "+p.release.Name)
}

// wouldMark says what a run that is not dry would do.
func (p *publishing) wouldMark() {
	for i := range p.results {
		p.results[i].Status = hybridcore.Validated
		p.results[i].Notes = append(p.results[i].Notes, "dry run: would be marked as release "+p.release.Name)
	}
}

// refuse says of targets that are in order why they are not released all the same.
func (p *publishing) refuse() {
	var wrong []string
	for _, res := range p.results {
		if res.Failure != nil {
			wrong = append(wrong, res.Target)
		}
	}
	for _, one := range p.parity {
		if one.Blocked() {
			wrong = append(wrong, "the parity of "+one.Image)
		}
	}
	for i, res := range p.results {
		if res.Failure == nil {
			p.results[i].Status = hybridcore.BlockedStatus
			p.results[i].Failure = &hybridcore.Failure{Message: "not released, because of " + strings.Join(wrong, ", ")}
		}
	}
}
