// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:02:16Z
// Spec: openspec/specs/ci/spec.md#requirement-one-decision-for-all-jobs
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package ci

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Variables that a job of a decision is given by its workflow.
const (
	DecisionVariable = "PACKER_HYBRID_DECISION" // the output decision of the job that decided
	TargetVariable   = "PACKER_HYBRID_TARGET"   // IMAGE@PLATFORM of a job's matrix
	DigestVariable   = "PACKER_HYBRID_DIGEST"   // of that target
	PlatformVariable = "PACKER_HYBRID_PLATFORM" // of a job's matrix
	EnvVariable      = "PACKER_HYBRID_ENV"      // the environment, for the clean-up after a build
)

// decisionLife is how long jobs of a run may begin after it was decided on, as long
// as a ticket of the bot: GitHub lets failed jobs be started again for a month,
// when a right, a review or a rule may be gone.
const decisionLife = 24 * time.Hour

// Bounds of a decision. It travels in an environment variable, of which Linux
// takes 128 KiB.
const (
	maxDecision = 64 << 10
	maxLines    = 20
	maxImages   = 1000
	maxRule     = 300 // characters
)

// Encode is the decision on one line.
func (d Decision) Encode() (string, error) {
	if err := d.check(); err != nil {
		return "", err
	}
	d.Platforms, d.Images = append([]hybridcore.Platform{}, d.Platforms...), append([]string{}, d.Images...)
	text, err := json.Marshal(d)
	switch {
	case err != nil:
		return "", fmt.Errorf("encoding the decision: %w", err)
	case len(text) > maxDecision:
		return "", hybridcore.Blockedf("the decision has %d bytes, and a job takes %d: name fewer images at once",
			len(text), maxDecision)
	}
	return string(text), nil
}

// ParseDecision reads a decision. What no decision is, is a BlockedError.
func ParseDecision(text string) (Decision, error) {
	var d Decision
	if len(text) > maxDecision {
		return Decision{}, hybridcore.Blockedf("%s has %d bytes, and a decision at most %d", DecisionVariable,
			len(text), maxDecision)
	}
	if !strings.HasPrefix(text, "{") { // null is none either
		return Decision{}, hybridcore.Blockedf("%s is no decision of `packer-hybrid ci --decide`: %.40q",
			DecisionVariable, text)
	}
	if err := json.Unmarshal([]byte(text), &d, json.RejectUnknownMembers(true)); err != nil {
		return Decision{}, hybridcore.Blockedf("%s is no decision of `packer-hybrid ci --decide`: %.300s",
			DecisionVariable, Shown(err.Error()))
	}
	if err := d.check(); err != nil {
		return Decision{}, hybridcore.Blockedf("%s is no decision of `packer-hybrid ci --decide`: %v", DecisionVariable,
			err)
	}
	return d, nil
}

// check refuses what no decision holds.
func (d Decision) check() error {
	if _, err := strconv.ParseUint(d.Run, 10, 64); err != nil {
		return hybridcore.Usagef("%.80q is not the number of a run", d.Run)
	}
	for _, id := range []string{d.SHA, d.Policy} {
		if !hybridcore.IsObjectID(id) || isZero(id) {
			return hybridcore.Usagef("%.80q is not the full object ID of a commit", id)
		}
	}
	if len(d.Images) > maxImages || len(d.Lines) == 0 || len(d.Lines) > maxLines {
		return hybridcore.Usagef("it has %d lines and %d images", len(d.Lines), len(d.Images))
	}
	if err := d.checkTexts(); err != nil {
		return err
	}
	for i, platform := range d.Platforms {
		if p, err := hybridcore.ParsePlatform(string(platform)); err != nil || p != platform ||
			slices.Contains(d.Platforms[:i], platform) {
			return hybridcore.Usagef("%.80q is no platform, or there twice", platform)
		}
	}
	if _, err := d.Requests(); err != nil {
		return err
	}
	return d.checkNext()
}

// checkNext refuses environments that nothing could go on to.
func (d Decision) checkNext() error {
	_, builds := d.Find(hybridcore.ActionBuild)
	if len(d.Next) > 0 && (!d.Merged || !builds) || len(d.Next) > maxEnvironments {
		return hybridcore.Usagef("%d environments follow, and only after a build of merged code", len(d.Next))
	}
	for i, env := range d.Next {
		if err := hybridcore.CheckName("environment", env); err != nil {
			return err
		}
		if env == d.Env || slices.Contains(d.Next[:i], env) {
			return hybridcore.Usagef("the environment %.64q follows itself", env)
		}
	}
	return nil
}

// checkTexts refuses names that are none, and texts that are more than text.
func (d Decision) checkTexts() error {
	if err := hybridcore.CheckName("environment", d.Env); err != nil {
		return err
	}
	if d.Request != "" {
		if err := hybridcore.CheckName("request", d.Request); err != nil {
			return err
		}
	}
	for _, image := range d.Images {
		if err := hybridcore.CheckName("image", image); err != nil {
			return err
		}
	}
	for _, text := range []string{d.Actor, d.Change, d.ReplyTo} {
		if text != Shown(text) {
			return hybridcore.Usagef("%.80q is nothing that a decision holds", text)
		}
	}
	if len(d.Rule) > 4*maxRule || d.Rule != text.JobLog(d.Rule) || strings.Contains(d.Rule, "\n") {
		return hybridcore.Usagef("its rule is %.80q", d.Rule)
	}
	return nil
}

// forMerged are the verbs for merged code.
var forMerged = []hybridcore.Action{hybridcore.ActionReap, hybridcore.ActionPublish, hybridcore.ActionFree}

// Requests are what the lines ask for, pinned to the commit.
func (d Decision) Requests() ([]hybridcore.Request, error) {
	var all []hybridcore.Request
	for _, line := range d.Lines {
		r, err := command.Parse(line)
		switch {
		case err != nil:
			return nil, err
		case r.Env != d.Env:
			return nil, hybridcore.Usagef("the line %.80q is for the environment %.64q, and the decision for %s", line,
				r.Env, d.Env)
		case r.Action == hybridcore.ActionCollect || r.Part != "":
			return nil, hybridcore.Usagef("the line %.80q is for the jobs of a build, which make it themselves", line)
		case !d.Merged && slices.Contains(forMerged, r.Action):
			return nil, hybridcore.Usagef("the line %.80q is for merged code, and commit %.12s is not", line, d.SHA)
		}
		for _, image := range r.Images {
			if len(d.Images) > 0 && !slices.Contains(d.Images, image) {
				return nil, hybridcore.Usagef("the line %.80q is about an image that the decision does not name", line)
			}
		}
		for _, platform := range r.Platforms {
			if !slices.Contains(d.Platforms, platform) {
				return nil, hybridcore.Usagef("the line %.80q is about a platform that the decision does not name",
					line)
			}
		}
		for _, id := range r.Heads {
			if id != d.SHA {
				return nil, hybridcore.Usagef("the line %.80q is about another commit than the decision, %.12s", line,
					d.SHA)
			}
		}
		r.Heads = []string{d.SHA}
		all = append(all, r)
	}
	return all, nil
}

// Find is the one request of an action; false when there is none.
func (d Decision) Find(action hybridcore.Action) (hybridcore.Request, bool) {
	all, err := d.Requests()
	if err != nil {
		return hybridcore.Request{}, false
	}
	i := slices.IndexFunc(all, func(r hybridcore.Request) bool { return r.Action == action })
	if i < 0 {
		return hybridcore.Request{}, false
	}
	return all[i], true
}

// Platform checks that a platform is one of the decision's.
func (d Decision) Platform(name string) (hybridcore.Platform, error) {
	if platform := hybridcore.Platform(name); slices.Contains(d.Platforms, platform) {
		return platform, nil
	}
	return "", hybridcore.Blockedf("%s is %.80q, which is no platform of this run's decision (%s)",
		PlatformVariable, name, strings.Join(platformNames(d.Platforms), ", "))
}

// Part is the request that builds one target of the decision's build, with the
// digest that was planned.
func (d Decision) Part(target, digest string) (hybridcore.Request, error) {
	build, ok := d.Find(hybridcore.ActionBuild)
	image, platform, found := strings.Cut(target, "@")
	switch {
	case !ok:
		return hybridcore.Request{}, hybridcore.Blockedf("this run's decision has no build, and %s asks for a part "+
			"of one", TargetVariable)
	case !found || hybridcore.CheckName("image", image) != nil:
		return hybridcore.Request{}, hybridcore.Blockedf("%s is %.140q, which is no target: IMAGE@PLATFORM",
			TargetVariable, target)
	case !slices.Contains(d.Platforms, hybridcore.Platform(platform)),
		len(d.Images) > 0 && !slices.Contains(d.Images, image),
		!build.Wants(d.Env + "/" + target):
		return hybridcore.Request{}, hybridcore.Blockedf("%s is %.140q, which this run's decision is not about: "+
			"%q at %s",
			TargetVariable, target, d.Lines, strings.Join(platformNames(d.Platforms), ", "))
	}
	part, err := command.Parse("build " + image + " --env " + d.Env + " --targets " + platform + " --part " + digest)
	if err != nil {
		return hybridcore.Request{}, hybridcore.Blockedf("%s is %.80q: %v", DigestVariable, digest, err)
	}
	if part.Part != digest {
		return hybridcore.Request{}, hybridcore.Blockedf("%s is %.80q, which is no digest of a target", DigestVariable,
			digest)
	}
	part.Heads, part.Parallel = []string{d.SHA}, build.Parallel
	return part, nil
}

func platformNames(platforms []hybridcore.Platform) []string {
	var names []string
	for _, p := range platforms {
		names = append(names, string(p))
	}
	return names
}
