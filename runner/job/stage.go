// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:43:47Z
// Spec: openspec/specs/ci/spec.md#requirement-builds-on-several-machines
// Diagram: openspec/specs/ci/diagram.md#fan-out

package job

import (
	"context"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// check refuses a job of two kinds.
func (s Kind) check() error {
	kinds := 0
	for _, is := range []bool{
		s.Decide, s.Plan, s.Part, s.Next, len(s.Collect) > 0, s.Release != "", s.Reap || s.Drift, s.Hold, s.Report != "",
	} {
		if is {
			kinds++
		}
	}
	if kinds > 1 {
		return hybridcore.Usagef("--decide, --plan, --part, --collect, --release, --reap, --hold, --report and --next are " +
			"for different jobs, and so are all of them and --drift, but for --reap: give one of them")
	}
	return s.checkPhase()
}

// share leaves a job what is its own of what the event asks for.
func (s Kind) share(job *ci.Job) error {
	now, err := s.requests(job.Requests)
	if err != nil {
		return err
	}
	if len(job.Requests) > 0 && len(now) == 0 {
		job.Nothing = "what the event asks for is done by other jobs"
	}
	job.Requests = now
	return nil
}

// requests are what is this job's of what the event asks for. What comes before
// the build is done by the job that plans it, what comes after by the one that
// collects it; what reaches a platform has jobs of its own.
func (s Kind) requests(all []hybridcore.Request) ([]hybridcore.Request, error) {
	if s.Release != "" || s.Reap || s.Drift {
		return slices.DeleteFunc(slices.Clone(all), func(r hybridcore.Request) bool { return !s.does(r) }), nil
	}
	if !s.Plan && len(s.Collect) == 0 {
		return all, nil
	}
	build := func(r hybridcore.Request) bool { return r.Action == hybridcore.ActionBuild && r.Part == "" }
	at := slices.IndexFunc(all, build)
	if at >= 0 && slices.ContainsFunc(all[at+1:], build) {
		return nil, hybridcore.Usagef("the event asks for several builds, and one is shared out to other jobs: " +
			"declare one line with `build` in the block ci of packer-hybrid.hcl")
	}
	elsewhere := func(r hybridcore.Request) bool {
		return r.Action == hybridcore.ActionPublish || r.Action == hybridcore.ActionReap || r.Looks()
	}
	switch {
	case at < 0 && s.Plan:
		return slices.DeleteFunc(slices.Clone(all), elsewhere), nil
	case at < 0:
		return nil, nil
	}
	one := planOf(all[at])
	if s.Plan {
		return append(slices.DeleteFunc(slices.Clone(all[:at]), elsewhere), one), nil
	}
	one.Action, one.From = hybridcore.ActionCollect, slices.Clone(s.Collect)
	return append([]hybridcore.Request{one}, slices.DeleteFunc(slices.Clone(all[at+1:]), elsewhere)...), nil
}

// ahead are the plans of the environments that a merge is built for later, in the job
// that makes the jobs of all of them.
func ahead(jobs forge.Jobs, own Kind, asked ci.Job) ([]hybridcore.Request, error) {
	if !own.Plan || !jobs.Together || len(asked.Next()) == 0 {
		return nil, nil
	}
	d, err := asked.Decision()
	if err != nil {
		return nil, err
	}
	var plans []hybridcore.Request
	for _, env := range d.Next {
		_, r, err := d.For(env)
		if err != nil {
			return nil, err
		}
		r.Origin = asked.Place.Origin
		plans = append(plans, planOf(r))
	}
	return plans, nil
}

// planOf plans what a build asks for.
func planOf(r hybridcore.Request) hybridcore.Request {
	return hybridcore.Request{
		Action: hybridcore.ActionPlan, Env: r.Env, Images: r.Images, Platforms: r.Platforms, Rebuild: r.Rebuild,
		RetryFailed: r.RetryFailed, Pin: r.Pin, Origin: r.Origin,
	}
}

// partOf makes the job one of a part of its run's build.
func (h *Host) partOf(job *ci.Job) error {
	d, err := job.Decision()
	if err != nil {
		return err
	}
	part, err := d.Part(h.Process.Getenv(ci.TargetVariable), h.Process.Getenv(ci.DigestVariable))
	if err != nil {
		return err
	}
	part.Origin, part.Heads = job.Place.Origin, job.Requests[0].Heads
	job.Requests = []hybridcore.Request{part}
	return nil
}

// resolveLast says which run is meant by the last one of a change: who decided
// does not have the state.
func (h *Host) resolveLast(ctx context.Context, project config.Project, job *ci.Job) error {
	for i, r := range job.Requests {
		if r.RetryFailed != ci.LastRun {
			continue
		}
		run, err := stored.LastRun(ctx, h.Process.Places(), project, r.Origin.Change, r.Env)
		if err != nil {
			return err
		}
		if run == "" {
			return hybridcore.Usagef("no run of change %s for %s is in the state: name the run to retry",
				r.Origin.Change, r.Env)
		}
		job.Requests[i].RetryFailed = run
	}
	return nil
}
