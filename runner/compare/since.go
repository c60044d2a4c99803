// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:05:00Z
// Spec: openspec/specs/parity/spec.md#requirement-change-report
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package compare

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
)

// maxLookBack bounds the records that are read for a target's previous build.
const maxLookBack = 200

// against adds the change reports of an image: since the run that the request
// names, or since the previous build of the target.
func (s Stage) against(ctx context.Context, req hybridcore.Request, report *hybridcore.ParityReport,
	set parity.Set,
) error {
	for _, now := range set.Sides {
		was, err := s.earlier(ctx, req, report.Env, set.Image, now)
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
		old, err := s.loadSide(ctx, *was)
		if err != nil {
			return err
		}
		report.Changes = append(report.Changes, parity.Report(set.Image, old, now))
	}
	return nil
}

// Since is what is in the images that a run built and was not in those of the
// builds before, each target for itself; it has none of what was built first.
func (s Stage) Since(ctx context.Context, rec hybridcore.Record) ([]hybridcore.Changes, error) {
	report := hybridcore.ParityReport{Env: rec.Request.Env, Changes: []hybridcore.Changes{}}
	for _, one := range recorded(rec) {
		if one.run != rec.RunID {
			continue
		}
		set, err := s.loadSet(ctx, []image{one})
		if err == nil {
			err = s.against(ctx, hybridcore.Request{}, &report, set)
		}
		if err != nil {
			return report.Changes, err
		}
	}
	return report.Changes, nil
}

// earlier finds the build to compare a target with; nil when there is none.
func (s Stage) earlier(ctx context.Context, req hybridcore.Request, env, name string, now parity.Side) (*image, error) {
	runs := []string{req.Against}
	if req.Against == "" {
		var err error
		if runs, err = s.before(ctx, now.Run); err != nil {
			return nil, err
		}
	}
	for _, id := range runs {
		rec, err := s.Project.State.Record(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, one := range recorded(rec) {
			if rec.Request.Env == env && one.name == name && one.platform == now.Platform &&
				(one.run != now.Run || req.Against != "") {
				return &one, nil
			}
		}
	}
	return nil, nil //nolint:nilnil // there is none, which is no error
}

// before lists the runs before one, the newest first. IDs sort by the second
// in which a run started.
func (s Stage) before(ctx context.Context, run string) ([]string, error) {
	this, err := s.Project.State.Record(ctx, run)
	if err != nil {
		return nil, err
	}
	all, err := s.Project.State.Records(ctx)
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
			rec, err := s.Project.State.Record(ctx, id)
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
