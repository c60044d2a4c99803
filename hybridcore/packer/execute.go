// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:04:24Z
// Spec: openspec/specs/packer/spec.md#requirement-drained-pipes
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package packer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/child"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
)

// execute runs one verb over a job: scratch, plugins, process, verdict.
func (t Tool) execute(ctx context.Context, job Job, build func(context.Context, Tool, Job) *exec.Cmd,
	result func(Tool, Job, child.Ending, *collector, *Outcome),
) (Outcome, error) {
	out := Outcome{Status: hybridcore.Failed, ExitCode: -1, Started: time.Now()}
	if err := job.check(); err != nil {
		return out, err
	}
	dirs := scratch(job.Scratch)
	if err := dirs.prepare(job.Plugins); err != nil {
		return out, err
	}
	crashLog := filepath.Join(job.Dir, "crash.log")
	_, old := os.Lstat(crashLog)
	c := newCollector(job, out.Started)
	s := newSink(job)
	end, err := child.Run(ctx, build(ctx, t, job), child.Watch{
		Grace:    t.grace(),
		Marker:   dirs.marker(),
		Stdout:   func(r io.Reader) { drain(r, s, c.record) },
		Stderr:   func(r io.Reader) { drain(r, s, c.stderr) },
		Ended:    s.unblock,
		OnCancel: job.OnCancel,
		Hurry:    job.Hurry,
	})
	lost, logErr := s.close()
	if err != nil {
		return out, err
	}
	result(t, job, end, c, &out)
	if lost > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d lines are missing in the log%s", lost, reason(logErr)))
	}
	if errors.Is(old, fs.ErrNotExist) && os.Remove(crashLog) == nil {
		out.Notes = append(out.Notes,
			"packer wrote crash.log, which holds unmasked secrets; it was removed, the crash report is in the log")
	}
	conclude(job, end, c, &out, time.Now())
	return out, nil
}

// prepare makes the directories and a plugin tree with exactly these plugins.
func (s scratch) prepare(plugins []Plugin) error {
	if err := os.RemoveAll(s.plugins()); err != nil {
		return fmt.Errorf("clearing the plugin tree: %w", err)
	}
	if err := s.make(); err != nil {
		return err
	}
	for _, p := range plugins {
		if err := s.place(p); err != nil {
			return err
		}
	}
	return nil
}

// drain reads a pipe to its end, whatever becomes of the lines.
func drain(r io.Reader, s *sink, take func(output.Record, time.Time) []item) {
	d := output.NewDecoder(r)
	for {
		rec, err := d.Next()
		if err != nil {
			return // the end, or the deadline after the process has ended
		}
		for _, it := range take(rec, time.Now()) {
			s.put(it)
		}
	}
}

func reason(err error) string {
	if err == nil {
		return ": it was too slow"
	}
	return ": " + err.Error()
}
