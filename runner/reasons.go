// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:56:30Z
// Spec: openspec/specs/runner/spec.md#requirement-plan-stage
// Diagram: openspec/specs/runner/diagram.md#stages

package runner

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// decide compares a target with its last good build.
func decide(target hybridcore.Target, current *hybridcore.Current, rebuild bool) hybridcore.PlannedTarget {
	planned := hybridcore.PlannedTarget{Target: target, Decision: hybridcore.Build, Current: current}
	if current == nil {
		planned.Reasons = []hybridcore.Reason{{Kind: "never-built", Text: "never built in " + target.Env}}
		return planned
	}
	planned.Reasons = changes(target, current.Inputs)
	if rebuild {
		planned.Reasons = append(planned.Reasons, hybridcore.Reason{Kind: "forced", Text: "a rebuild was asked for"})
	}
	if len(planned.Reasons) == 0 {
		planned.Decision = hybridcore.Unchanged
		planned.Reasons = []hybridcore.Reason{{
			Kind: "unchanged", Subject: current.RunID,
			Text: fmt.Sprintf("all %d inputs equal run %s of %s", len(target.Inputs), current.RunID, current.At.UTC().Format(time.DateTime)+" UTC"),
		}}
	}
	return planned
}

// changes lists the inputs that differ, in a fixed order: the source first, from
// which most others follow, then files, versions and variables.
// Versions that are not known now (no packer on this machine) are no change.
func changes(target hybridcore.Target, was map[string]string) []hybridcore.Reason {
	keys := map[string]bool{}
	for k := range was {
		keys[k] = true
	}
	for k := range target.Inputs {
		keys[k] = true
	}
	delete(keys, "source")
	var reasons []hybridcore.Reason
	for _, key := range append([]string{"source"}, slices.Sorted(maps.Keys(keys))...) {
		before, had := was[key]
		now, has := target.Inputs[key]
		if before == now && had == has {
			continue
		}
		kind, subject, isVersion := split(key)
		if isVersion && !has && !knowsVersions(target.Inputs) {
			continue
		}
		r := hybridcore.Reason{Kind: kind, Subject: subject, Was: before, Now: now}
		r.Text = sentence(r, had, has)
		r.File, r.Line = place(target, kind, subject)
		reasons = append(reasons, r)
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
	case "source":
		return "source", "", false
	default:
		return "version", key, true
	}
}

func knowsVersions(inputs map[string]string) bool { return inputs["packer"] != "" }

// maxShown bounds a value in a sentence, in bytes.
const maxShown = 60

func sentence(r hybridcore.Reason, had, has bool) string {
	switch {
	case r.Kind == "source" && had:
		return fmt.Sprintf("source %s → %s", r.Was, r.Now)
	case r.Kind == "source":
		return "source " + r.Now
	case r.Kind == "file" && !had:
		return "new file " + r.Subject
	case r.Kind == "file" && !has:
		return "file " + r.Subject + " is gone"
	case r.Kind == "file":
		return "file " + r.Subject + " changed"
	case !had:
		return fmt.Sprintf("new %s %s = %s", r.Kind, r.Subject, shorten(r.Now))
	case !has:
		return fmt.Sprintf("%s %s is gone (was %s)", r.Kind, r.Subject, shorten(r.Was))
	default:
		return fmt.Sprintf("%s %s: %s → %s", r.Kind, r.Subject, shorten(r.Was), shorten(r.Now))
	}
}

func shorten(text string) string {
	runes := []rune(text)
	if len(runes) <= maxShown {
		return text
	}
	return string(runes[:maxShown-1]) + "…"
}

// place is where a changed input comes from: the file itself, or the layer
// that sets the variable.
func place(target hybridcore.Target, kind, subject string) (string, int) {
	switch kind {
	case "source":
		return place(target, "variable", "build_from")
	case "file":
		for _, f := range target.Files {
			if f.Path == subject {
				return f.From, 0
			}
		}
	case "variable":
		for _, v := range target.Variables {
			if v.Name == subject && len(v.Layers) > 0 {
				last := v.Layers[len(v.Layers)-1]
				return last.File, last.Line
			}
		}
	}
	return "", 0
}
