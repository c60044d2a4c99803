// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:35:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#parts

// Package dispatch has runs made on this machine, takes the events of CI systems, and
// says what a run came to by its answer. How a forge is asked for runs is in its own
// folder below forge.
package dispatch

import (
	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// WithAnswer is the end of a run with the details of its answer, when that is to its
// order. The CI system has the last word: a run may fail after its answer was good.
func WithAnswer(p cirun.Progress, o cirun.Order, a hybridcore.Answer) cirun.Progress {
	ci := p.Outcome
	if why := cirun.Foreign(o, a); why != "" {
		if p.Outcome = (cirun.Outcome{Status: hybridcore.Failed, Why: why}); ci.Status == hybridcore.Cancelled {
			p.Outcome.Status = ci.Status
		}
		return p
	}
	p.Outcome = cirun.OutcomeOf(a)
	if len(p.Outcome.Targets) > 0 {
		p.Targets = p.Outcome.Targets // else what was seen of them stays
	}
	switch {
	case ci.Status == hybridcore.Cancelled:
		p.Outcome.Status = ci.Status
	case ci.Status == hybridcore.Failed && good(p.Outcome):
		p.Outcome.Status, p.Outcome.Why = ci.Status, ci.Why
	case p.Outcome.Why == "" && !good(p.Outcome):
		p.Outcome.Why = ci.Why
	}
	return p
}

// Unseen is the end of a run that ended well and left no answer.
func Unseen() cirun.Outcome {
	return cirun.Outcome{
		Status: cirun.Answered, Title: "Done",
		Why: "The run left no answer that can be shown here; its log has it.",
	}
}

// good says whether an outcome is none of failure.
func good(o cirun.Outcome) bool {
	switch o.Status {
	case hybridcore.Failed, hybridcore.BlockedStatus, hybridcore.Cancelled:
		return false
	}
	return true
}
