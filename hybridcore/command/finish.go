// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:45:00Z
// Spec: openspec/specs/values/spec.md#requirement-command-grammar
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package command

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// maxParallel bounds how many targets build at once.
const maxParallel = 64

// Finish completes a request after its flags were read: positional arguments
// are images, of collect folders, and every name must fit the grammar.
func Finish(r *hybridcore.Request, args []string) error {
	if err := positional(r, args); err != nil {
		return err
	}
	seen := r.Images[:0]
	for _, image := range r.Images {
		if err := hybridcore.CheckName("image", image); err != nil {
			return err
		}
		if !slices.Contains(seen, image) {
			seen = append(seen, image)
		}
	}
	r.Images = seen
	if r.Env != "" {
		if err := hybridcore.CheckName("environment", r.Env); err != nil {
			return err
		}
	}
	for _, one := range [][2]string{
		{"run", r.RetryFailed},
		{"run", r.Record},
		{"run", r.Against},
		{"release", r.Release},
	} {
		if one[1] == "" {
			continue
		}
		if err := hybridcore.CheckName(one[0], one[1]); err != nil {
			return err
		}
	}
	if r.Base != "" {
		if err := hybridcore.CheckRevision(r.Base); err != nil {
			return err
		}
		if r.Look {
			return hybridcore.Usagef("--base compares with a commit, of which no platform has anything: leave out --base or " +
				"--live")
		}
	}
	if r.With != "" && r.With != hybridcore.WithPacker && r.With != hybridcore.WithPlugins {
		known := []string{hybridcore.WithPacker, hybridcore.WithPlugins}
		return hybridcore.Usagef("--with is %.40q: it must be %s%s", r.With, strings.Join(known, " or "),
			text.DidYouMean(r.With, known))
	}
	if r.Parallel < 0 || r.Parallel > maxParallel {
		return hybridcore.Usagef("--parallel is %d: it must be from 1 to %d", r.Parallel, maxParallel)
	}
	return checkPin(r)
}

// positional reads the arguments that are no flags.
func positional(r *hybridcore.Request, args []string) error {
	switch r.Action {
	case hybridcore.ActionCollect:
		if r.From = args; len(args) == 0 {
			return hybridcore.Usagef("name the folders that hold the parts")
		}
	case hybridcore.ActionFree:
		return finishFree(r, args)
	default:
		r.Images = append(r.Images, args...)
	}
	return nil
}

// maxReason bounds the reason for which a lease is released, in characters.
const maxReason = 500

// finishFree reads the target of a lease that is to be released, IMAGE@PLATFORM or ENV/IMAGE@PLATFORM as status shows
// it, and refuses a release without a reason.
func finishFree(r *hybridcore.Request, args []string) error {
	for _, name := range args {
		if env, rest, found := strings.Cut(name, "/"); found {
			if r.Env != "" && r.Env != env {
				return hybridcore.Usagef("%.80s is not a target of the environment %.80s", name, r.Env)
			}
			r.Env, name = env, rest
		}
		image, platform, found := strings.Cut(name, "@")
		r.Images = append(r.Images, image)
		if !found {
			continue
		}
		if err := (&platformList{&r.Platforms}).Set(platform); err != nil {
			return err
		}
	}
	r.Origin.Reason = strings.TrimSpace(r.Origin.Reason)
	switch {
	case len(r.Images) != 1 || len(r.Platforms) != 1:
		return hybridcore.Usagef("name one target: IMAGE@PLATFORM, as packer-hybrid status shows it")
	case r.Origin.Reason == "":
		return hybridcore.Usagef("say why with --reason: it is recorded")
	case utf8.RuneCountInString(r.Origin.Reason) > maxReason:
		return hybridcore.Usagef("the reason is longer than %d characters", maxReason)
	}
	return nil
}

// checkPin refuses a pin that cannot be meant.
func checkPin(r *hybridcore.Request) error {
	for _, id := range r.Heads {
		if !hybridcore.IsObjectID(id) {
			return hybridcore.Usagef("--commit %.80q is not the full object ID of a commit", id)
		}
	}
	switch {
	case r.Part == "":
		return nil
	case !isDigest(r.Part):
		return hybridcore.Usagef("--part %.80q is not the digest of a target: `packer-hybrid plan --matrix github` gives it",
			r.Part)
	case len(r.Images) != 1 || len(r.Platforms) != 1:
		return hybridcore.Usagef("--part is for one target: name one image and one platform")
	}
	return nil
}

// isDigest says whether a text is a SHA-256 digest in hexadecimal digits.
func isDigest(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}
