// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/runner/spec.md#requirement-success-is-verified
// Diagram: openspec/specs/runner/diagram.md#stages

package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// building is one target on its way to a result.
type building struct {
	run     *run
	target  hybridcore.Target
	result  hybridcore.Result
	scratch string // own directory, outside the workspace
	log     io.Writer
}

func (x *run) begin(t hybridcore.Target) *building {
	return &building{run: x, target: t, scratch: project.NewScratch(), log: io.Discard, result: hybridcore.Result{
		Target: t.Name(), Image: t.Image.Name, Platform: t.Platform, Digest: t.Digest, Recipe: t.Recipe,
		Inputs: t.Inputs, Started: x.project.Now(), Notes: project.PlaceNotes(t),
	}}
}

// open makes the target's scratch directory and, for a build, its log.
func (b *building) open(withLog bool) (func(), error) {
	if err := os.Mkdir(b.scratch, 0o700); err != nil {
		return nil, fmt.Errorf("making a scratch directory: %w", err)
	}
	done := func() {
		if err := os.RemoveAll(b.scratch); err != nil {
			b.run.project.Log.Warn("scratch directory not removed", "path", b.scratch, "error", err)
		}
	}
	if !withLog {
		return done, nil
	}
	dir := filepath.Join(b.run.stage.Folders.Logs, b.run.id)
	file, err := logs.OpenTarget(dir, b.target.Name())
	if err != nil {
		done()
		return nil, fmt.Errorf("opening the target's log: %w", err)
	}
	b.result.Log = "logs/" + b.run.id + "/" + filepath.Base(file.Name()) // wherever the logs are
	writer := b.run.project.Redactor.Writer(file)
	b.log = writer
	return func() {
		if err := errors.Join(writer.Close(), file.Close()); err != nil {
			b.run.project.Log.Warn("log is not complete", "target", b.target.Name(), "error", err)
		}
		done()
	}, nil
}

func (b *building) inventoryPath() string { return filepath.Join(b.scratch, "inventory.json") }

// journal writes down what is about to be done, before anything else can happen
// to the run.
func (b *building) journal(ctx context.Context, held *state.Held, phase string) {
	b.journalled(held.Update(ctx, phase))
}

// journalled logs why the lease could not be written. That it was lost is told
// as the target's failure.
func (b *building) journalled(err error) {
	if _, overtaken := errors.AsType[*state.LostError](err); err != nil && !overtaken {
		b.run.project.Log.Error("journal not written", "target", b.target.Name(), "error", err)
	}
}

// stopped is the result of a target that could not go on: blocked when the
// reason is a lock, a tool or a policy, cancelled when the run was.
func (b *building) stopped(ctx context.Context, err error) hybridcore.Result {
	status := hybridcore.Failed
	overtaken := lost(ctx)
	switch {
	case overtaken != nil:
		err = overtaken
	case ctx.Err() != nil:
		status = hybridcore.Cancelled
	case hybridcore.ExitCode(err) == hybridcore.ExitBlocked:
		status = hybridcore.BlockedStatus
	}
	return b.end(status, b.run.project.Redact(err.Error()))
}

func (b *building) end(status hybridcore.Status, message string) hybridcore.Result {
	b.result.Failure = &hybridcore.Failure{Message: message}
	return b.finish(status)
}

func (b *building) finish(status hybridcore.Status) hybridcore.Result {
	b.result.Status = status
	b.result.Duration = b.run.project.Now().Sub(b.result.Started)
	b.event(hybridcore.EventDone, string(status))
	return b.result
}

func (b *building) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	b.result.Notes = append(b.result.Notes, text)
	b.event(hybridcore.EventNote, text)
}

func (b *building) event(kind hybridcore.EventKind, text string) {
	now := b.run.project.Now()
	b.report(hybridcore.Event{
		At: now, Target: b.target.Name(), Kind: kind, Text: text,
		Elapsed: now.Sub(b.result.Started).Round(time.Millisecond),
	})
}

// report tells the reporter. What it fails with is no failure of the target.
func (b *building) report(e hybridcore.Event) {
	err := hybridcore.Contain(func() error { b.run.stage.Reporter.Event(e); return nil })
	if panicked, ok := errors.AsType[*hybridcore.PanicError](err); ok {
		b.run.project.Log.Error("progress not reported", "target", e.Target, "error", err, "stack", panicked.Stack)
	}
}

// unchanged is the result of a target that is not built. Where its platform could not
// be asked, it is not known to be well.
func (x *run) unchanged(ctx context.Context, p hybridcore.PlannedTarget) hybridcore.Result {
	if p.Look != nil && p.Look.Presence == hybridcore.NotLooked {
		return x.begin(p.Target).stopped(ctx,
			fmt.Errorf("its inputs are unchanged, and its artifact was %s: nothing is built", p.Look.Text))
	}
	r := hybridcore.Result{
		Target: p.Target.Name(), Image: p.Target.Image.Name, Platform: p.Target.Platform,
		Status: hybridcore.UnchangedDone, Digest: p.Target.Digest, Recipe: p.Target.Recipe, Inputs: p.Target.Inputs,
		Notes: project.PlaceNotes(p.Target),
	}
	for _, reason := range p.Reasons {
		r.Notes = append(r.Notes, "unchanged: "+reason.Text)
	}
	if p.Look != nil && p.Look.Presence == hybridcore.Changed {
		r.Notes = append(r.Notes, "not as it was built: "+p.Look.Text)
	}
	if p.Current != nil {
		r.Artifact, r.Inventory = p.Current.Artifact, p.Current.Inventory
	}
	return r
}
