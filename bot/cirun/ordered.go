// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:58:00Z
// Spec: openspec/specs/bot/spec.md#requirement-the-answer-of-a-run
// Diagram: openspec/specs/bot/diagram.md#the-answer-of-a-run

package cirun

import (
	"fmt"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
)

// Foreign says that an answer is to something else than an order; empty when it is to the order, as far as it says.
func Foreign(o Order, a hybridcore.Answer) string {
	asked, err := command.Parse(o.Line)
	if err != nil {
		return "" // the run refuses such an order, and its answer says why
	}
	of := func(r hybridcore.Request) string {
		verbs := []hybridcore.Action{"", asked.Action}
		if asked.Action == hybridcore.ActionBuild { // jobs plan it first, and make one record of it at the end
			verbs = append(verbs, hybridcore.ActionPlan, hybridcore.ActionCollect)
		}
		if !slices.Contains(verbs, r.Action) || r.Env != "" && asked.Env != "" && r.Env != asked.Env {
			return Cell(fmt.Sprintf("%s for %s", r.Action, r.Env))
		}
		return ""
	}
	var said []hybridcore.Request
	if a.Request != nil {
		said = append(said, *a.Request)
	}
	if asked.Action != hybridcore.ActionInspect { // which shows the record of another request
		if a.Record != nil {
			said = append(said, a.Record.Request)
		}
		if a.Plan != nil {
			said = append(said, a.Plan.Request)
		}
		for _, one := range a.Plans {
			said = append(said, hybridcore.Request{Action: hybridcore.ActionPlan, Env: one.Env})
		}
	}
	if a.Status != nil {
		said = append(said, hybridcore.Request{Action: hybridcore.ActionStatus, Env: a.Status.Env})
	}
	if a.Drift != nil {
		said = append(said, hybridcore.Request{Action: hybridcore.ActionDrift, Env: a.Drift.Env})
	}
	if a.Parity != nil {
		said = append(said, hybridcore.Request{Env: a.Parity.Env})
	}
	for _, r := range said {
		if other := of(r); other != "" {
			return fmt.Sprintf("the run's answer is that of %s, and %s was asked for: it is not shown; the log has what the "+
				"run did", other, Cell(fmt.Sprintf("%s for %s", asked.Action, asked.Env)))
		}
	}
	return ""
}
