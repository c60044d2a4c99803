// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:43:47Z
// Spec: openspec/specs/ci/spec.md#requirement-builds-on-several-machines
// Diagram: openspec/specs/ci/diagram.md#fan-out

package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// stage says which of a run's jobs this one is. The zero value does all that the
// event asks for.
type stage struct {
	decide  bool     // what is to be done, and nothing of it
	plan    bool     // what needs the state only; the build is planned, for the output matrix or the child pipeline
	part    bool     // one target of the build
	collect []string // the build, from the folders of its parts
	release string   // the phase of a release: plan, prepare, mark or record
	reap    bool     // what dead runs left on one platform, or with from the report of it
	from    string   // folder of what other jobs handed over of a release or of a reap
	hold    bool     // the report is kept in artifacts/report, to be sent by another job
	report  string   // folder of a report that was kept
}

func (s *stage) bind(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.BoolVar(&s.decide, "decide", false,
		"only decide what this run is to do, and for whom: the outputs that all later jobs go by")
	fs.BoolVar(&s.plan, "plan", false,
		"do what needs no platform, and plan the build: the output matrix, or pipeline.yml, has the jobs that build")
	fs.BoolVar(&s.part, "part", false, "build the one target that "+ci.TargetVariable+" and "+ci.DigestVariable+" name")
	fs.StringArrayVar(&s.collect, "collect", nil,
		"only collect a build from these folders, in which other jobs left its parts")
	fs.StringVar(&s.release, "release", "", "only do this phase of a release: "+strings.Join(releasePhases, ", "))
	fs.BoolVar(&s.reap, "reap", false,
		"only remove what dead runs left on the platform that "+ci.PlatformVariable+" names; with --from report what jobs did so")
	fs.StringVar(&s.from, "from", "", "folder of what other jobs handed over, for --release and --reap")
	fs.BoolVar(&s.hold, "hold", false, "keep the report of a change in artifacts/report, and send nothing")
	fs.StringVar(&s.report, "report", "", "only send the report of a change that another job kept in this folder")
}

// check refuses a job of two kinds.
func (s stage) check() error {
	kinds := 0
	for _, is := range []bool{s.decide, s.plan, s.part, len(s.collect) > 0, s.release != "", s.reap, s.hold, s.report != ""} {
		if is {
			kinds++
		}
	}
	if kinds > 1 {
		return hybridcore.Usagef("--decide, --plan, --part, --collect, --release, --reap, --hold and --report are for " +
			"different jobs: give one of them")
	}
	return s.checkPhase()
}

// share leaves a job what is its own of what the event asks for.
func (s stage) share(job *ci.Job) error {
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
func (s stage) requests(all []hybridcore.Request) ([]hybridcore.Request, error) {
	if s.release != "" || s.reap {
		return slices.DeleteFunc(slices.Clone(all), func(r hybridcore.Request) bool { return r.Action != s.action() }), nil
	}
	if !s.plan && len(s.collect) == 0 {
		return all, nil
	}
	build := func(r hybridcore.Request) bool { return r.Action == hybridcore.ActionBuild && r.Part == "" }
	at := slices.IndexFunc(all, build)
	if at >= 0 && slices.ContainsFunc(all[at+1:], build) {
		return nil, hybridcore.Usagef("the event asks for several builds, and one is shared out to other jobs: " +
			"declare one line with `build` in the block ci of packer-hybrid.hcl")
	}
	elsewhere := func(r hybridcore.Request) bool {
		return r.Action == hybridcore.ActionPublish || r.Action == hybridcore.ActionReap
	}
	switch {
	case at < 0 && s.plan:
		return slices.DeleteFunc(slices.Clone(all), elsewhere), nil
	case at < 0:
		return nil, nil
	}
	r := all[at]
	one := hybridcore.Request{
		Action: hybridcore.ActionPlan, Env: r.Env, Images: r.Images, Platforms: r.Platforms, Rebuild: r.Rebuild, RetryFailed: r.RetryFailed,
		Pin: r.Pin, Origin: r.Origin,
	}
	if s.plan {
		return append(slices.DeleteFunc(slices.Clone(all[:at]), elsewhere), one), nil
	}
	one.Action, one.From = hybridcore.ActionCollect, slices.Clone(s.collect)
	return append([]hybridcore.Request{one}, slices.DeleteFunc(slices.Clone(all[at+1:]), elsewhere)...), nil
}

// partOf makes the job one of a part of its run's build.
func (a *app) partOf(job *ci.Job) error {
	d, err := job.Decision()
	if err != nil {
		return err
	}
	part, err := d.Part(a.Getenv(ci.TargetVariable), a.Getenv(ci.DigestVariable))
	if err != nil {
		return err
	}
	part.Origin, part.Heads = job.Origin(), job.Requests[0].Heads
	job.Requests = []hybridcore.Request{part}
	return nil
}

// resolveLast says which run is meant by the last one of a change: who decided
// does not have the state.
func resolveLast(ctx context.Context, project config.Project, job *ci.Job) error {
	for i, r := range job.Requests {
		if r.RetryFailed != ci.LastRun {
			continue
		}
		run, err := lastRun(ctx, project, r.Origin.Change, r.Env)
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
