// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:41:00Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-run
// Diagram: openspec/specs/reports/diagram.md#values-to-text

// Package summary says in a few words or rows what values hold, for every form
// in which they are told.
package summary

import (
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Plural is a number with what is counted.
func Plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Counts is "2 built, 1 failed", in the order of first appearance.
func Counts(results []hybridcore.Result) string {
	n := map[hybridcore.Status]int{}
	var order []hybridcore.Status
	for _, r := range results {
		if n[r.Status] == 0 {
			order = append(order, r.Status)
		}
		n[r.Status]++
	}
	if len(order) == 0 {
		return "no targets"
	}
	parts := make([]string, 0, len(order))
	for _, s := range order {
		parts = append(parts, fmt.Sprintf("%d %s", n[s], s))
	}
	return strings.Join(parts, ", ")
}

// ArtifactName is the name that the platform knows, rather than the builder's
// identifier: on Azure that is a path, on Proxmox VE a number.
func ArtifactName(a *hybridcore.Artifact) string {
	if a == nil {
		return "-"
	}
	return a.Name()
}

// Short shows a commit as git does.
func Short(id string) string {
	return id[:min(len(id), 12)]
}

// Equals counts unchanged targets by what they are equal to.
type Equals struct {
	To      string // run or commit
	Targets []string
}

// String is "run ID", or the commit as git shows it.
func (e Equals) String() string {
	if len(e.To) == 40 || len(e.To) == 64 {
		return Short(e.To)
	}
	return "run " + e.To
}

// Unchanged groups the unchanged targets of a plan by that.
func Unchanged(plan hybridcore.Plan) []Equals {
	var all []Equals
	at := map[string]int{}
	for _, t := range plan.Targets {
		if t.Decision != hybridcore.Unchanged {
			continue
		}
		to := ""
		for _, r := range t.Reasons {
			to = r.Subject
		}
		i, seen := at[to]
		if !seen {
			i, at[to] = len(all), len(all)
			all = append(all, Equals{To: to})
		}
		all[i].Targets = append(all[i].Targets, t.Target.Name())
	}
	return all
}
