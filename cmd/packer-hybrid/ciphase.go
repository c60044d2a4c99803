// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:28:41Z
// Spec: openspec/specs/runner/spec.md#requirement-a-release-in-phases
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package main

import (
	"io"
	"path"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// The phases of a release, each a job.
const (
	phasePlan    = "plan"
	phasePrepare = "prepare"
	phaseMark    = "mark"
	phaseRecord  = "record"
)

var releasePhases = []string{phasePlan, phasePrepare, phaseMark, phaseRecord}

// releaseDir is where the phases of a release leave what the next ones need,
// below artifacts/.
const releaseDir = "release"

// phase is what this job does of a verb that several jobs do.
type phase struct {
	action   hybridcore.Action
	name     string // of the release; empty for a reap
	from     string // folder of what other jobs handed over
	pin      project.JobPin
	platform hybridcore.Platform   // that the job reaches; empty for none
	all      []hybridcore.Platform // that the jobs of the run reach
	job      *job
}

// action is the verb that a job does a phase of.
func (s stage) action() hybridcore.Action {
	if s.reap {
		return hybridcore.ActionReap
	}
	return hybridcore.ActionPublish
}

// checkPhase refuses what no phase is.
func (s stage) checkPhase() error {
	switch {
	case s.release != "" && !slices.Contains(releasePhases, s.release):
		return hybridcore.Usagef("--release is %.40q%s: it must be one of %s", s.release, hybridcore.DidYouMean(s.release,
			releasePhases), strings.Join(releasePhases, ", "))
	case s.from != "" && (s.release == "" || s.release == phasePlan) && !s.reap:
		return hybridcore.Usagef("--from is for the jobs that go by what others handed over: "+
			"--release %s, %s or %s, and --reap", phasePrepare, phaseMark, phaseRecord)
	case s.from == "" && s.release != "" && s.release != phasePlan:
		return hybridcore.Usagef("--release %s needs --from: the folder of what other jobs handed over", s.release)
	}
	return nil
}

// reaches says whether the job has a platform.
func (s stage) reaches() bool {
	return s.release == phasePrepare || s.release == phaseMark || s.reap && s.from == ""
}

// handsOver says whether another job reports what this one does.
func (s stage) handsOver() bool { return s.reaches() }

// phase is what the job does of a release or of a reap; nil for other jobs, and
// when neither is asked for.
func (s stage) phase(getenv func(string) string, all, read ci.Job) (*phase, error) {
	if s.release == "" && !s.reap || len(read.Requests) == 0 {
		return nil, nil //nolint:nilnil // there is none, which is no error
	}
	d, err := all.Decision()
	if err != nil {
		return nil, err
	}
	asked := read.Requests[0]
	p := &phase{action: s.action(), name: s.release, from: s.from, pin: project.JobPin{Run: d.Run, Commit: d.SHA, Asked: asked}}
	if p.all = asked.Platforms; len(p.all) == 0 {
		p.all = d.Platforms
	}
	if s.release != "" && s.release != phasePlan {
		p.pin.Plan = getenv(ci.DigestVariable)
	}
	if !s.reaches() {
		return p, nil
	}
	if p.platform, err = d.Platform(getenv(ci.PlatformVariable)); err != nil {
		return nil, err
	}
	if !slices.Contains(p.all, p.platform) {
		return nil, hybridcore.Blockedf("%s is %s, which %s of this run is not about", ci.PlatformVariable, p.platform,
			asked.Action)
	}
	return p, nil
}

// stateless says whether the job has nothing to do with the state.
func (p *phase) stateless() bool {
	return p != nil && (p.name == phasePrepare || p.name == phaseMark || p.name == "" && p.platform == "")
}

// hand writes a file for other jobs.
func (p *phase) hand(a *app, root, folder, name string, data []byte) error {
	return a.artifact(root, path.Join(folder, name), func(w io.Writer) error {
		_, err := w.Write(data)
		return err //nolint:wrapcheck // artifact names the file
	})
}
