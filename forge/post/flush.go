// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:01:30Z
// Spec: openspec/specs/posting/spec.md#requirement-what-a-dead-run-left
// Diagram: openspec/specs/posting/diagram.md#what-flush-sends

package post

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// Flush sends what runs have left in their outboxes of one system, below dir in
// a folder for each run, and ends the checks of runs that died. Runs that live
// are left alone. The folders and files have to be this user's own, as New makes
// them. It returns lines as Close does.
func Flush(ctx context.Context, dir string, access Access, within time.Duration, options ...Option) ([]string, error) {
	runs, err := runsIn(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for outboxes: %w", err)
	}
	var out []string
	for _, run := range runs {
		if !run.IsDir() {
			continue
		}
		began := time.Now()
		more, err := flushRun(ctx, filepath.Join(dir, run.Name()), access, within, options)
		if err != nil {
			return out, err
		}
		out = append(out, more...)
		within -= time.Since(began)
	}
	return out, nil
}

// runsIn lists what is in a folder that, with the one above it, only this user
// can change. A missing one holds nothing.
func runsIn(dir string) ([]fs.DirEntry, error) {
	for _, at := range []string{filepath.Dir(dir), dir} {
		in, err := safefile.ViewPrivate(at)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		runs, err := fs.ReadDir(in.FS(), ".")
		if err := errors.Join(err, in.Close()); err != nil || at == dir {
			return runs, err
		}
	}
	return nil, nil
}

// flushRun sends what one run has left.
func flushRun(ctx context.Context, dir string, access Access, within time.Duration, options []Option) ([]string,
	error,
) {
	in, err := safefile.ViewPrivate(dir)
	if err != nil {
		return []string{err.Error()}, nil
	}
	defer func() { _ = in.Close() }() // nothing is written through it
	name := access.System.file()
	if _, err := in.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	box, whole, err := open(in, name, 0)
	switch {
	case errors.Is(err, ErrBusy):
		return nil, nil
	case err != nil:
		return []string{err.Error()}, nil
	}
	if !box.isFor(access) {
		if err := box.release(); err != nil {
			return []string{err.Error()}, nil
		}
		return nil, nil
	}
	s, err := newSender(box, access, options)
	if err == nil {
		err = box.cut(whole)
	}
	if err != nil {
		return nil, errors.Join(err, box.release())
	}
	if !box.closed {
		box.bury(s.clock.Now())
	}
	return finish(ctx, s, within), nil
}

// isFor says whether an outbox is to be sent with these rights. It is not when
// its run was killed before the first line, or when it is for another system or
// repository.
func (b *outbox) isFor(access Access) bool {
	a := b.address
	return a.check(access.System) == nil && cmp.Or(a.System, access.System.Name) == access.System.Name &&
		(access.Repository == "" || access.Repository == a.Repository)
}

// cut takes a torn last line off.
func (b *outbox) cut(whole int64) error {
	file, ok := b.file.(*os.File)
	if !ok {
		return nil
	}
	info, err := file.Stat()
	if err == nil && info.Size() > whole {
		err = file.Truncate(whole)
	}
	if err != nil {
		return fmt.Errorf("cutting a torn line off %s: %w", b.path, err)
	}
	return nil
}

// bury ends what a dead run left open.
func (b *outbox) bury(now time.Time) {
	for _, key := range slices.Clone(b.order) {
		it := b.items[key]
		switch {
		case it.check != nil && it.check.Status != report.CheckCompleted:
			c := *it.check
			c.Status, c.Conclusion, c.Completed = report.CheckCompleted, report.CancelledDone, now
			c.Title, c.Summary = "The run ended without a report", "The process that ran this was killed, or its machine was "+
				"lost. The job's log may say more."
			_ = b.append(line{Kind: "want", Key: key, Check: &c}) // told by finish
		case it.check == nil && !it.final:
			body := "**The run ended without its report.** What follows is what it said before.\n\n" + it.body
			_ = b.append(line{Kind: "want", Key: key, Body: body, Final: true}) // told by finish
		}
	}
	_ = b.append(line{Kind: "close"}) // told by finish
}
