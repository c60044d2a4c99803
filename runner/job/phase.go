// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:28:41Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-in-phases
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package job

import (
	"io"
	"path"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/near"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
	"github.com/packer-hybrid/packer-hybrid/runner/release"
)

// The phases of a release, each a job.
const (
	phasePlan    = "plan"
	phasePrepare = "prepare"
	phaseMark    = "mark"
	phaseRecord  = "record"
)

// ReleasePhases are the phases of a release, each a job.
var ReleasePhases = []string{phasePlan, phasePrepare, phaseMark, phaseRecord}

// releaseDir is where the phases of a release leave what the next ones need,
// below artifacts/.
const releaseDir = "release"

// does says whether a request is one of which the job does a phase.
func (s Kind) does(r hybridcore.Request) bool {
	if s.Release != "" {
		return r.Action == hybridcore.ActionPublish
	}
	return s.Reap && r.Action == hybridcore.ActionReap || s.Drift && r.Looks()
}

// checkPhase refuses what no phase is.
func (s Kind) checkPhase() error {
	switch {
	case s.Release != "" && !slices.Contains(ReleasePhases, s.Release):
		return hybridcore.Usagef("--release is %.40q%s: it must be one of %s", s.Release, text.DidYouMean(s.Release,
			ReleasePhases), strings.Join(ReleasePhases, ", "))
	case s.From != "" && (s.Release == "" || s.Release == phasePlan) && !s.Reap && !s.Drift:
		return hybridcore.Usagef("--from is for the jobs that go by what others handed over: "+
			"--release %s, %s or %s, --reap and --drift", phasePrepare, phaseMark, phaseRecord)
	case s.From == "" && s.Release != "" && s.Release != phasePlan:
		return hybridcore.Usagef("--release %s needs --from: the folder of what other jobs handed over", s.Release)
	}
	return nil
}

// reaches says whether the job has a platform.
func (s Kind) reaches() bool {
	return s.Release == phasePrepare || s.Release == phaseMark || (s.Reap || s.Drift) && s.From == ""
}

// handsOver says whether another job reports what this one does.
func (s Kind) handsOver() bool { return s.reaches() }

// phase is what the job does of a release, a reap or a look; nil for other jobs, and
// when none is asked for.
func (s Kind) phase(getenv func(string) string, all, read ci.Job) (*phase, error) {
	if s.Release == "" && !s.Reap && !s.Drift || len(read.Requests) == 0 {
		return nil, nil //nolint:nilnil // there is none, which is no error
	}
	d, err := all.Decision()
	if err != nil {
		return nil, err
	}
	p := &phase{
		own: s, name: s.Release, from: s.From, decided: d.Platforms, pin: project.JobPin{Run: d.Run, Commit: d.SHA},
	}
	if s.Release != "" && s.Release != phasePlan {
		p.pin.Plan = getenv(ci.DigestVariable)
	}
	if !s.reaches() {
		return p, nil
	}
	if p.platform, err = d.Platform(getenv(ci.PlatformVariable)); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(read.Requests, func(r hybridcore.Request) bool { return p.of(r).here() }) {
		return nil, hybridcore.Blockedf("%s is %s, which %s of this run is not about", ci.PlatformVariable, p.platform,
			read.Requests[0].Action)
	}
	return p, nil
}

// of is the phase of one of the job's requests.
func (p phase) of(req hybridcore.Request) *phase {
	p.pin.Asked, p.all = req, req.Platforms
	if len(p.all) == 0 {
		p.all = p.decided
	}
	return &p
}

// here says whether the request is about the platform that the job reaches, if it reaches one.
func (p *phase) here() bool { return p.platform == "" || slices.Contains(p.all, p.platform) }

// views says whether the job writes nothing to the state. Who puts a look together writes down
// since when it is known what was found.
func (p *phase) views() bool {
	if p.pin.Asked.Looks() {
		return p.platform != ""
	}
	return p.name == phasePrepare || p.name == phaseMark || p.name == "" && p.platform == ""
}

// near is a job of a reap or a look.
func (p *phase) near(o opened) near.Job {
	return near.Job{
		Process: o.process, Runner: o.runner, Screen: o.screen, Pin: p.pin, Platform: p.platform, All: p.all, From: p.from,
		Summary: p.job.values.Summary, Try: p.job.try,
	}
}

// hand writes a file for other jobs.
func (p *phase) hand(o opened, folder, name string, data []byte) error {
	return o.process.Artifact(o.runner.Project.Config.Root, path.Join(folder, name), func(w io.Writer) error {
		_, err := w.Write(data)
		return err //nolint:wrapcheck // Artifact names the file
	})
}

// opened is what a phase works with.
type opened struct {
	process process.Process
	runner  *runner.Runner
	screen  process.Screen
}

func (o opened) release() release.Stage { return release.Stage{Project: o.runner.Project} }
