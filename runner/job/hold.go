// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:13:03Z
// Spec: openspec/specs/ci/spec.md#requirement-reports-of-unreviewed-code
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package job

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path"
	"time"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// heldDir is where the report of a change is kept, below artifacts/.
const heldDir = "report"

// hold keeps the reports for a job that may send them.
func (j *job) hold(reported []*answer) error {
	var all []post.Held
	for _, c := range reported {
		if !j.tells(c) {
			continue
		}
		all = append(all, post.Hold(j.report(c), c.slot(), time.Now()))
	}
	if len(all) == 0 {
		return nil
	}
	return j.host.Process.Artifact(j.project.Root, path.Join(heldDir, post.HeldName),
		func(w io.Writer) error { return post.WriteHeld(w, all) })
}

// reportHeld sends what the job of a change has kept. There is no checkout here:
// where it goes is said by this job's own event, and nothing else counts.
func (h *Host) reportHeld(ctx context.Context, dir string) error {
	event, err := h.forge.Jobs.Event(ci.Input{Getenv: h.Process.Getenv, ReadFile: ci.ReadFile})
	if err != nil {
		return fmt.Errorf("reading the event of this job: %w", err)
	}
	read, err := ci.ReadChange(event)
	if err != nil {
		return err
	}
	j := h.newJob(config.Project{Root: dir}, read) // what is kept for a later step lies outside of it
	if read.Nothing != "" {
		j.say("nothing to do: %s", read.Nothing)
		return nil
	}
	if h.access().Token == "" {
		return hybridcore.Usagef("%s", cmp.Or(h.forge.Reports.Without, h.forge.Title+" takes no reports"))
	}
	held, err := post.ReadHeld(dir)
	if err != nil {
		return err
	}
	for _, h := range held {
		if p := j.poster(h.Slot); p != nil {
			p.Send(h)
			j.problems = append(j.problems, p.Close(context.WithoutCancel(ctx), Reporting)...)
		}
	}
	j.warn()
	return nil
}
