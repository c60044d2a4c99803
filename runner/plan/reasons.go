// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:56:30Z
// Spec: openspec/specs/runner/spec.md#requirement-plan-stage
// Diagram: openspec/specs/runner/diagram.md#stages

package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// changes lists the inputs that differ, in a fixed order, without
// places and sentences. Versions are no change when they are not known now (no
// packer on this machine).
func changes(now, was map[string]string) []hybridcore.Reason {
	keys := map[string]bool{}
	for k := range was {
		keys[k] = true
	}
	for k := range now {
		keys[k] = true
	}
	first := []string{hybridcore.LabInput, "source"}
	maps.DeleteFunc(keys, func(key string, _ bool) bool { return slices.Contains(first, key) })
	var reasons []hybridcore.Reason
	for _, key := range append(first, slices.Sorted(maps.Keys(keys))...) {
		before, had := was[key]
		after, has := now[key]
		if before == after && had == has {
			continue
		}
		kind, subject, isVersion := split(key)
		if isVersion && !has && !knowsVersions(now) {
			continue
		}
		reasons = append(reasons, hybridcore.Reason{Kind: kind, Subject: subject, Was: before, Now: after})
	}
	return reasons
}

func split(key string) (kind, subject string, version bool) {
	kind, subject, _ = strings.Cut(key, ":")
	switch kind {
	case "file":
		return "file", subject, false
	case "var":
		return "variable", subject, false
	case "plugin":
		return "version", subject, true
	case "guest":
		return "guest", subject, false
	case "source", project.KindLab:
		return kind, "", false
	default:
		return "version", key, true
	}
}

// knowsVersions says whether tools, or the lock, could be asked for versions.
func knowsVersions(inputs map[string]string) bool {
	for key := range inputs {
		if _, _, version := split(key); version {
			return true
		}
	}
	return false
}

func sentence(r hybridcore.Reason, had, has bool) string {
	of := ""
	if r.Part != "" {
		of = " of " + r.Part
	}
	text := ""
	switch {
	case r.Kind == project.KindLab:
		return labSentence(r.Was, r.Now)
	case r.Kind == "source" && had:
		return fmt.Sprintf("source %s → %s", r.Was, r.Now)
	case r.Kind == "source":
		return "source " + r.Now
	case r.Kind == "file" && !had:
		return "new file " + r.Subject + of
	case r.Kind == "file" && !has:
		return "file " + r.Subject + of + " is gone"
	case r.Kind == "file":
		return "file " + r.Subject + of + " changed"
	case !had:
		text = fmt.Sprintf("new %s %s = %s", r.Kind, r.Subject, project.Shorten(r.Now))
	case !has:
		text = fmt.Sprintf("%s %s is gone (was %s)", r.Kind, r.Subject, project.Shorten(r.Was))
	default:
		text = fmt.Sprintf("%s %s: %s → %s", r.Kind, r.Subject, project.Shorten(r.Was), project.Shorten(r.Now))
	}
	if had && has && r.WasLayer != "" {
		text += fmt.Sprintf(", set by %s instead of %s", r.Layer, r.WasLayer)
	}
	return text
}
