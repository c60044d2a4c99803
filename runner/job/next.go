// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:51:00Z
// Spec: openspec/specs/ci/spec.md#requirement-what-a-merge-builds
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package job

import (
	"context"
	"fmt"
	"time"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// nextVariable is a variable of the forge's environment whose approval a job waits for:
// its value is that environment's name. Without it the environment is one that nobody has
// set up: the forge makes it by itself, and nobody has to approve what runs in it.
const nextVariable = "PACKER_HYBRID_NEXT"

// setUpForAll refuses a decision that goes on to other environments where the variable is one of
// the repository or its organisation: the job that decides is in no environment and sees only
// those, and every environment that nobody has set up would have it too.
func setUpForAll(d ci.Decision, getenv func(string) string) error {
	if value := getenv(nextVariable); len(d.Next) > 0 && value != "" {
		return hybridcore.Blockedf("%s is a variable of the repository or its organisation (%.40q), so that an environment "+
			"that nobody has set up has it too, and nobody would have to approve what is built for %.40q: remove it there, "+
			"and set it in each environment of the block merge only", nextVariable, value, d.Next[0])
	}
	return nil
}

// goOn starts the run for the environment that follows that of the decision. That this
// job runs at all is the approval.
func goOn(ctx context.Context, h *Host) error {
	jobs, getenv := h.forge.Jobs, h.Process.Getenv
	if jobs.GoOn == nil {
		return hybridcore.Usagef("--next is for GitHub Actions: at %s one pipeline has the jobs of all environments",
			h.forge.Title)
	}
	d, err := ci.ParseDecision(getenv(ci.DecisionVariable))
	if err != nil {
		return err
	}
	in := ci.Input{Getenv: getenv, ReadFile: ci.ReadFile}
	if _, err := jobs.Decided(d, in); err != nil {
		return err
	}
	event, err := jobs.Event(in)
	switch {
	case err != nil:
		return fmt.Errorf("reading the event of this job: %w", err)
	case len(d.Next) == 0:
		return hybridcore.Usagef("no environment follows %s", d.Env)
	case getenv(nextVariable) != d.Next[0]:
		return hybridcore.Blockedf("the environment %s of %s has no variable %s = %s: make the environment, let it ask for "+
			"reviewers and take the default branch only, and set that variable in it", d.Next[0], h.forge.Title,
			nextVariable, d.Next[0])
	}
	line, _, err := d.For(d.Next[0])
	if err != nil {
		return err
	}
	url, err := jobs.GoOn(ctx, getenv, forge.Onward{
		Request: hybridcore.NewRunID(time.Now()), Line: line, Branch: event.Branch, Commit: d.SHA,
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(h.Screen.Out, "started for %s at commit %s: %s %s\n", d.Next[0], d.SHA, line,
		text.JobLog(h.Process.Redactor.String(url)))
	return err //nolint:wrapcheck // of standard output
}
