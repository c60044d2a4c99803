// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:32:00Z
// Spec: openspec/specs/drift/spec.md#requirement-a-look-in-parts
// Diagram: openspec/specs/drift/diagram.md#a-look-in-parts

package drift

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/live"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// kindLivePart is the kind of what the jobs of a look hand over.
const kindLivePart = "drift-part"

// maxFindings bounds the findings about one target.
const maxFindings = 64

// SealPart is the file of a look at one platform, with its name.
func SealPart(part hybridcore.LivePart) (name string, data []byte, err error) {
	data, _, err = state.Seal(kindLivePart, part)
	return partFile(part.Platform), data, err
}

func partFile(platform hybridcore.Platform) string { return "drift-" + string(platform) + ".json" }

// Parts are what jobs found on the platforms, each on one.
type Parts struct {
	on map[hybridcore.Platform]hybridcore.LivePart
}

// ReadParts reads what jobs found, each in its own answer below a folder. What is refused is
// in the error, a BlockedError, and in the part of its platform, too.
func (s Stage) ReadParts(dir string, pin project.JobPin, platforms []hybridcore.Platform) (Parts, error) {
	all := Parts{map[hybridcore.Platform]hybridcore.LivePart{}}
	found, err := project.HandedOver(dir, func(name string) bool {
		return slices.ContainsFunc(hybridcore.Platforms(),
			func(p hybridcore.PlatformInfo) bool { return partFile(p.Name) == name })
	})
	if err != nil {
		return all, err
	}
	var errs []error
	for _, platform := range platforms {
		file := found[partFile(platform)]
		if file == nil {
			continue
		}
		part, err := s.readPart(file.Data, pin, platform)
		if err != nil {
			part = hybridcore.LivePart{Error: "the answer of its job is refused: " + s.Project.Redact(err.Error())}
			errs = append(errs, project.RefusedFile(file.Path, err))
		}
		all.on[platform] = part // also a refused one: nobody looked
	}
	return all, errors.Join(errs...)
}

// readPart reads the answer of a platform, and makes its text inert.
func (s Stage) readPart(data []byte, pin project.JobPin, platform hybridcore.Platform) (hybridcore.LivePart, error) {
	part, _, err := state.Unseal[hybridcore.LivePart](kindLivePart, data)
	if err != nil {
		return part, err
	}
	made := pin.Made(part.Run, part.Commit)
	switch {
	case part.Platform != platform:
		return part, hybridcore.Blockedf("it is of %.20q, and its name says %s", part.Platform, platform)
	case made != nil:
		return part, made
	case part.Env != pin.Asked.Env:
		return part, hybridcore.Blockedf("it is for the environment %.64q, and this job is about another", part.Env)
	case len(part.Targets) > project.MaxParts:
		return part, hybridcore.Blockedf("it has %d targets, and at most %d are read", len(part.Targets), project.MaxParts)
	}
	part.Error = s.Project.Redact(part.Error)
	for i, one := range part.Targets {
		switch {
		case !pin.Asked.Wants(one.Key) || !strings.HasSuffix(one.Key, "@"+string(platform)):
			return part, hybridcore.Blockedf("it has %.140q, which this job is not asked about", one.Key)
		case len(one.Findings) > maxFindings:
			return part, hybridcore.Blockedf("it has %d findings about one target, and at most %d are read",
				len(one.Findings), maxFindings)
		}
		for n, f := range one.Findings {
			if part.Targets[i].Findings[n], err = s.clean(one.Key, f); err != nil {
				return part, err
			}
		}
	}
	return part, nil
}

// clean is a finding about a target as the stage that looks makes it: what blocks follows
// from its severity, and its text is fit for a report.
func (s Stage) clean(key string, f hybridcore.Finding) (hybridcore.Finding, error) {
	switch {
	case f.Kind != hybridcore.KindDrift || !slices.Contains(live.Rules(), f.Rule):
		return f, hybridcore.Blockedf("it has a finding of the rule %.60q, which no look at a platform has", f.Rule)
	case f.Subject != key:
		return f, hybridcore.Blockedf("it has a finding about %.140q at %.140q", f.Subject, key)
	}
	redact := s.Project.Redact
	clean := hybridcore.Finding{
		Kind: f.Kind, Rule: f.Rule, Subject: key, Message: redact(f.Message), Hint: redact(f.Hint), Want: redact(f.Want),
		Got: redact(f.Got), Severity: f.Severity, Blocking: f.Severity == hybridcore.Error,
	}
	if f.Severity != hybridcore.Error && f.Severity != hybridcore.Warning && f.Severity != hybridcore.Info {
		return f, hybridcore.Blockedf("it has a finding of the severity %.20q", f.Severity)
	}
	return clean, nil
}

// Live are the findings about what a plan has as built: those of the parts, and for each
// target at which no part looked that nobody did.
func (p Parts) Live(plan hybridcore.Plan) []hybridcore.Finding {
	findings := []hybridcore.Finding{}
	for _, t := range plan.Targets {
		if t.Current == nil {
			continue
		}
		why, found := p.look(t)
		if why != "" {
			found = []hybridcore.Finding{NotLooked(t.Target.Key(), t.Target.Name()+" was not looked at, because "+why)}
		}
		findings = append(findings, found...)
	}
	return findings
}

// look is what the part of its platform says of a target, or why that says nothing.
func (p Parts) look(t hybridcore.PlannedTarget) (why string, found []hybridcore.Finding) {
	part, there := p.on[t.Target.Platform]
	at := slices.IndexFunc(part.Targets, func(one hybridcore.LiveTarget) bool { return one.Key == t.Target.Key() })
	switch {
	case !there:
		return fmt.Sprintf("the job of %s left no answer", t.Target.Platform.Info().Title), nil
	case part.Error != "":
		return part.Error, nil
	case at < 0:
		return fmt.Sprintf("the state that the job of %s reads does not have it as built: let all jobs share one state",
			t.Target.Platform.Info().Title), nil
	case part.Targets[at].Build != t.Current.RunID:
		return fmt.Sprintf("the job of %s looked for what run %.40q built, and the state has that of %s",
			t.Target.Platform.Info().Title, part.Targets[at].Build, t.Current.RunID), nil
	}
	return "", part.Targets[at].Findings
}
