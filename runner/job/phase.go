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

// action is the verb that a job does a phase of.
func (s Kind) action() hybridcore.Action {
	if s.Reap {
		return hybridcore.ActionReap
	}
	return hybridcore.ActionPublish
}

// checkPhase refuses what no phase is.
func (s Kind) checkPhase() error {
	switch {
	case s.Release != "" && !slices.Contains(ReleasePhases, s.Release):
		return hybridcore.Usagef("--release is %.40q%s: it must be one of %s", s.Release, text.DidYouMean(s.Release,
			ReleasePhases), strings.Join(ReleasePhases, ", "))
	case s.From != "" && (s.Release == "" || s.Release == phasePlan) && !s.Reap:
		return hybridcore.Usagef("--from is for the jobs that go by what others handed over: "+
			"--release %s, %s or %s, and --reap", phasePrepare, phaseMark, phaseRecord)
	case s.From == "" && s.Release != "" && s.Release != phasePlan:
		return hybridcore.Usagef("--release %s needs --from: the folder of what other jobs handed over", s.Release)
	}
	return nil
}

// reaches says whether the job has a platform.
func (s Kind) reaches() bool {
	return s.Release == phasePrepare || s.Release == phaseMark || s.Reap && s.From == ""
}

// handsOver says whether another job reports what this one does.
func (s Kind) handsOver() bool { return s.reaches() }

// phase is what the job does of a release or of a reap; nil for other jobs, and
// when neither is asked for.
func (s Kind) phase(getenv func(string) string, all, read ci.Job) (*phase, error) {
	if s.Release == "" && !s.Reap || len(read.Requests) == 0 {
		return nil, nil //nolint:nilnil // there is none, which is no error
	}
	d, err := all.Decision()
	if err != nil {
		return nil, err
	}
	asked := read.Requests[0]
	p := &phase{
		action: s.action(), name: s.Release, from: s.From,
		pin: project.JobPin{Run: d.Run, Commit: d.SHA, Asked: asked},
	}
	if p.all = asked.Platforms; len(p.all) == 0 {
		p.all = d.Platforms
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
