// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:18:00Z
// Spec: openspec/specs/posting/spec.md#requirement-check-runs
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Report reports what a run has planned, or what it has done: all of its
// checks, and the comment.
func (p *Poster) Report(r report.Report) {
	_ = p.sender.contain(func() error { // logged; what was reported before stays
		p.box.mu.Lock()
		p.request = r.Plan.Request
		p.box.mu.Unlock()
		all := report.Checks(r, p.sender.clock.Now())
		for _, c := range all {
			p.Check(c)
		}
		p.Comment(all[0].Summary, all[0].Status == report.CheckCompleted) // the whole run's check, with the whole report
		return nil
	})
}

// Event reports what a target does now. Its end comes with Report: an event
// does not say enough for a verdict.
func (p *Poster) Event(e hybridcore.Event) {
	p.box.mu.Lock()
	req := p.request
	p.box.mu.Unlock()
	switch e.Kind {
	case hybridcore.EventStart:
		p.Check(report.Running(req, e))
	case hybridcore.EventStep:
		p.Step(report.Running(req, e))
	case hybridcore.EventDone:
		e.Text += "; the run goes on"
		p.Step(report.Running(req, e))
	}
}
