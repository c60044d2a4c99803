// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:09:05Z
// Spec: openspec/specs/runner/spec.md#requirement-parts-of-a-release-are-not-trusted
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package release

import (
	"errors"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Files is what jobs of one run have handed over of a release.
type Files struct {
	Plan     hybridcore.ReleasePlan
	Digest   string // of the plan
	Prepared []hybridcore.ReleasePart
	Marked   []hybridcore.ReleasePart
}

// planFile is the name of the file of a plan.
const planFile = "plan.json"

// SealPlan is the file of a plan, with its name and digest.
func SealPlan(draft hybridcore.ReleasePlan) (name string, data []byte, digest string, err error) {
	data, digest, err = state.Seal(kindPlan, draft)
	return planFile, data, digest, err
}

// SealPart is the file of a part, with its name.
func SealPart(part hybridcore.ReleasePart) (name string, data []byte, err error) {
	data, _, err = state.Seal(kindPart, part)
	return string(part.Phase) + "-" + string(part.Platform) + ".json", data, err
}

// Read reads what jobs handed over of a release below a folder, and
// refuses with a BlockedError what is not of this job's run.
func (s Stage) Read(dir string, pin project.JobPin) (Files, error) {
	found, err := project.HandedOver(dir, isFile)
	if err != nil {
		return Files{}, err
	}
	var files Files
	at := found[planFile]
	if at == nil {
		return files,
			hybridcore.Blockedf("no plan of a release (%s) is below %s: its job did not start, failed, "+
				"or its file was not handed over", planFile, dir)
	}
	delete(found, planFile)
	if files.Plan, files.Digest, err = state.Unseal[hybridcore.ReleasePlan](kindPlan, at.Data); err == nil {
		err = fitsPlan(pin, files.Plan, files.Digest)
	}
	if err != nil {
		return files, project.RefusedFile(at.Path, err)
	}
	var errs []error
	for name, file := range found {
		part, err := s.readPart(file.Data, name, files, pin)
		switch {
		case err != nil:
			errs = append(errs, project.RefusedFile(file.Path, err))
		case part.Phase == hybridcore.Prepared:
			files.Prepared = append(files.Prepared, part)
		default:
			files.Marked = append(files.Marked, part)
		}
	}
	return files, errors.Join(errs...)
}

// isFile says whether a file has the name of a plan or a part.
func isFile(name string) bool {
	if name == planFile {
		return true
	}
	for _, platform := range hybridcore.PlatformNames() {
		for _, phase := range []hybridcore.ReleasePhase{hybridcore.Prepared, hybridcore.Marked} {
			if name == string(phase)+"-"+platform+".json" {
				return true
			}
		}
	}
	return false
}

// fitsPlan refuses a plan of another job, and one whose values do not fit each other.
func fitsPlan(pin project.JobPin, draft hybridcore.ReleasePlan, digest string) error {
	if err := hybridcore.CheckName("release", draft.Release.Name); err != nil {
		return err
	}
	switch {
	case pin.Plan != "" && digest != pin.Plan:
		return hybridcore.Blockedf("it is the plan %.12s, and this job is about the plan %.12q", digest, pin.Plan)
	case draft.Run != pin.Run:
		return hybridcore.Blockedf("it is of the run %.40q, and this is the run %.40q: run all jobs of the release again",
			draft.Run, pin.Run)
	case draft.Release.Commit != pin.Commit:
		return hybridcore.Blockedf("it was made at commit %.12q, and this checkout is at %.12q", draft.Release.Commit,
			pin.Commit)
	case draft.Release.Env != pin.Asked.Env || draft.Request.Env != pin.Asked.Env:
		return hybridcore.Blockedf("it is for the environment %.64q, not %s", draft.Release.Env, pin.Asked.Env)
	case draft.Request.DryRun != pin.Asked.DryRun || pin.Asked.Release != "" && pin.Asked.Release != draft.Release.Name:
		return hybridcore.Blockedf("it is of the release %.64q, dry run %t, and this job is about another",
			draft.Release.Name, draft.Request.DryRun)
	case draft.Request.Action != hybridcore.ActionPublish || draft.Request.Release != draft.Release.Name:
		return hybridcore.Blockedf("it is the plan of a %.20q called %.64q", draft.Request.Action, draft.Request.Release)
	case draft.Refused() || len(draft.Targets) == 0 || len(draft.Targets) > project.MaxParts:
		return hybridcore.Blockedf("it has %d targets, or something speaks against it: nothing is to be prepared",
			len(draft.Targets))
	}
	if err := hybridcore.CheckName("run", draft.Release.RunID); err != nil {
		return err
	}
	return fitTargets(pin, draft)
}

// fitTargets refuses targets that are not those of the release, or not asked about.
func fitTargets(pin project.JobPin, draft hybridcore.ReleasePlan) error {
	known := map[string]bool{}
	for _, t := range draft.Targets {
		if err := fitsTarget(draft, t); err != nil {
			return err
		}
		if !pin.Asked.Wants(pin.Asked.Env + "/" + t.Target) {
			return hybridcore.Blockedf("it has %s, which this job is not asked about", t.Target)
		}
		if known[t.Target] {
			return hybridcore.Blockedf("it has %s twice", t.Target)
		}
		known[t.Target] = true
	}
	return nil
}

// fitsTarget refuses a target that is not one, or not the one of the release.
func fitsTarget(draft hybridcore.ReleasePlan, t hybridcore.Result) error {
	if err := hybridcore.CheckName("image", t.Image); err != nil {
		return err
	}
	if _, err := hybridcore.ParsePlatform(string(t.Platform)); err != nil {
		return err
	}
	built := draft.Release.Find(t.Image, t.Platform)
	switch {
	case t.Target != hybridcore.TargetName(t.Image, t.Platform):
		return hybridcore.Blockedf("its target %.140q is of %s on %s", t.Target, t.Image, t.Platform)
	case t.Artifact == nil || len(t.Artifact.URIs) == 0 || len(t.Artifact.URIs) > project.MaxPartURIs:
		return hybridcore.Blockedf("it has no artifact of %s, or too many objects of it", t.Target)
	case built == nil || built.Artifact.ID != t.Artifact.ID || !slices.Equal(built.Artifact.URIs, t.Artifact.URIs):
		return hybridcore.Blockedf("its release does not have %s as its targets do", t.Target)
	case built.Commit != "" && !hybridcore.IsObjectID(built.Commit):
		return hybridcore.Blockedf("it has %s of the commit %.80q, which is none", t.Target, built.Commit)
	}
	for _, uri := range t.Artifact.URIs {
		if !strings.HasPrefix(uri.Name, t.Image+"-") || !uri.Complete() {
			return hybridcore.Blockedf("%.40q %.140q is no image that a build of %s made", uri.Kind, uri.Name, t.Image)
		}
	}
	return hybridcore.CheckName("run", built.RunID)
}

// readPart reads the part of a platform, whose file has its name.
func (s Stage) readPart(data []byte, name string, files Files, pin project.JobPin) (hybridcore.ReleasePart, error) {
	part, _, err := state.Unseal[hybridcore.ReleasePart](kindPart, data)
	if err != nil {
		return part, err
	}
	targets := files.Plan.On(part.Platform)
	made := pin.Made(part.Run, part.Commit)
	switch {
	case name != string(part.Phase)+"-"+string(part.Platform)+".json":
		return part, hybridcore.Blockedf("it is what %.20q is on %.20q, and its name says %s", part.Phase, part.Platform,
			name)
	case made != nil:
		return part, made
	case part.Env != pin.Asked.Env:
		return part, hybridcore.Blockedf("it is for the environment %.64q, not %s", part.Env, pin.Asked.Env)
	case part.Plan != files.Digest:
		return part, hybridcore.Blockedf("it is a part of the plan %.12q, and this is the plan %.12s", part.Plan,
			files.Digest)
	case len(targets) == 0:
		return part, hybridcore.Blockedf("the release %s has nothing on %s", files.Plan.Release.Name,
			part.Platform.Info().Title)
	case len(part.Steps) != len(targets):
		return part, hybridcore.Blockedf("it is about %d targets, and the release has %d on %s", len(part.Steps),
			len(targets), part.Platform.Info().Title)
	}
	for _, t := range targets {
		step := part.Step(t.Target)
		switch {
		case step == nil:
			return part, hybridcore.Blockedf("it says nothing of %s", t.Target)
		case step.Started.After(s.Project.Now().Add(project.MaxClock)) || step.Duration < 0:
			return part, hybridcore.Blockedf("%s was looked at from %s for %s, which is not over yet: "+
				"set the clocks of the machines", t.Target, step.Started, step.Duration)
		case step.Cancelled && step.Failure == "":
			return part, hybridcore.Blockedf("%s was cancelled, and it does not say how", t.Target)
		}
		step.Failure = s.Project.Redact(step.Failure)
	}
	return part, nil
}
