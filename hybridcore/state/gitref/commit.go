// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:55:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Bounds of a change.
const (
	changeTime  = 2 * time.Minute // in which others may be faster, or the repository not answer
	changeTries = 3               // races at least, however long they take
	firstPause  = 20 * time.Millisecond
	longPause   = 3 * time.Second
	compactAt   = 1000 // commits of the history, after which it begins anew
	deepEnough  = 200  // commits in which one that may have been pushed is looked for
	maxTroubles = 5    // failures of the repository in a row
)

// edit is what a change does to a file of the tree: an empty object removes it.
type edit struct {
	name, object string
}

// change pushes a commit with the edits that do makes of what is there. Do is asked
// again when somebody else was faster; no edit, or an error, ends it.
func (b *Backend) change(ctx context.Context, do func(*view) ([]edit, error)) error {
	begin, troubles, races := time.Now(), 0, 0
	var t tries
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		tried := time.Now()
		err := b.try(ctx, do, &t)
		wait := pause/2 + rand.N(pause) //nolint:gosec // no secret
		switch {
		case raced(err):
			races, troubles = races+1, 0
			wait = b.turns.lost(time.Since(begin))
		case passes(err) && troubles < maxTroubles:
			troubles++
		case err == nil:
			_ = rest(ctx, b.turns.won(time.Since(tried), time.Now())) // it is stored, also for who does not wait
			return nil
		default:
			return t.sure(err)
		}
		if time.Since(begin) > changeTime && races >= changeTries-1 {
			return t.sure(fmt.Errorf("the state could not be changed for %s: %w", time.Since(begin).Round(time.Second), err))
		}
		if err := rest(ctx, wait); err != nil {
			return t.sure(err)
		}
		b.now = nil // it is somewhere else
	}
}

// tries are pushes of one change that failed. Each may have been carried out all the
// same: its answer may have been lost.
type tries struct {
	edits   []edit
	commits []string
	open    bool // the last one may have been carried out, and was not looked for
}

// sure says of an error that it is not known whether the change was stored.
func (t *tries) sure(err error) error {
	if err == nil || !t.open {
		return err
	}
	return fmt.Errorf("it is not known whether it was stored: %w", err)
}

// in says whether a view is as the change wants it, which may be its own doing.
func (t *tries) in(v *view) bool {
	undone := func(e edit) bool { return v.objects[e.name] != e.object }
	return len(t.commits) > 0 && !slices.ContainsFunc(t.edits, undone)
}

// try pushes one commit.
func (b *Backend) try(ctx context.Context, do func(*view) ([]edit, error), t *tries) error {
	if b.now == nil {
		if err := b.fetch(ctx); err != nil {
			return err
		}
	}
	edits, err := do(b.now)
	if err != nil || len(edits) == 0 {
		if !t.in(b.now) {
			t.open = false
			return err
		}
		mine, failed := b.descends(ctx, t.commits)
		if failed != nil {
			return failed
		}
		if t.open = false; mine {
			return nil
		}
		return err
	}
	t.open = false // what was pushed before is not there
	next, err := b.commit(ctx, edits)
	if err != nil {
		return err
	}
	// What was begun to be pushed is there or not: that must be known.
	err = b.push(context.WithoutCancel(ctx), next.commit)
	if err != nil {
		t.edits, t.commits, t.open = edits, append(t.commits, next.commit), hint(err) == ""
		return err
	}
	b.now, b.seen = next, time.Now()
	return nil
}

// commit makes the commit of edits after the newest one.
func (b *Backend) commit(ctx context.Context, edits []edit) (*view, error) {
	next := b.now.with(edits)
	index := []string{"GIT_INDEX_FILE=" + filepath.Join(b.clone.dir, "next-index")}
	defer os.Remove(filepath.Join(b.clone.dir, "next-index")) //nolint:errcheck // the next one is made anew
	if b.now.commit != "" {
		if _, err := b.clone.git(ctx, call{args: []string{"read-tree", b.now.commit}, env: index}); err != nil {
			return nil, fmt.Errorf("reading the newest commit: %w", err)
		}
	}
	var info bytes.Buffer
	for _, e := range edits {
		if e.object == "" {
			fmt.Fprintf(&info, "0 %s\t%s\x00", strings.Repeat("0", 40), e.name)
		} else {
			fmt.Fprintf(&info, "100644 %s\t%s\x00", e.object, e.name)
		}
	}
	_, err := b.clone.git(ctx, call{args: []string{"update-index", "-z", "--index-info"}, input: info.Bytes(), env: index})
	if err != nil {
		return nil, fmt.Errorf("making a commit: %w", err)
	}
	tree, err := b.clone.line(ctx, call{args: []string{"write-tree", "--missing-ok"}, env: index})
	if err != nil {
		return nil, fmt.Errorf("making a commit: %w", err)
	}
	args := []string{"commit-tree", tree}
	next.commits = 1
	if b.now.commit != "" && b.now.commits < compactAt {
		args, next.commits = append(args, "-p", b.now.commit), b.now.commits+1
	}
	if b.o.Sign {
		args = append(args, "-S")
	}
	message := fmt.Sprintf("%s\n\n%s%d\n", subject(edits), trailer, next.commits)
	if next.commit, err = b.clone.line(ctx, call{args: args, input: []byte(message)}); err != nil {
		return nil, fmt.Errorf("making a commit: %w", err)
	}
	return next, nil
}

// subject is the first line of a commit's message.
func subject(edits []edit) string {
	verb, more := "Put", ""
	if edits[0].object == "" {
		verb = "Remove"
	}
	if len(edits) > 1 {
		more = fmt.Sprintf(" and %d more", len(edits)-1)
	}
	return verb + " " + edits[0].name + more
}

// with is the view after edits.
func (v *view) with(edits []edit) *view {
	next := &view{objects: maps.Clone(v.objects)}
	for _, e := range edits {
		if e.object == "" {
			delete(next.objects, e.name)
		} else {
			next.objects[e.name] = e.object
		}
	}
	next.names = slices.Sorted(maps.Keys(next.objects))
	return next
}

// push moves the ref to a commit, if it still is where this process has seen it.
func (b *Backend) push(ctx context.Context, commit string) error {
	_, err := b.clone.git(ctx, call{args: []string{
		"push", "--quiet", "--porcelain", "--force-with-lease=" + b.o.Ref + ":" + b.now.commit, "origin",
		commit + ":" + b.o.Ref,
	}})
	b.requests.Add(1)
	return err
}

// descends says whether the newest commit is one of these, or came after one.
func (b *Backend) descends(ctx context.Context, commits []string) (bool, error) {
	if slices.Contains(commits, b.now.commit) {
		return true, nil
	}
	if err := b.fetchRef(ctx, deepEnough); err != nil {
		return false, err
	}
	for _, commit := range commits {
		_, err := b.clone.git(ctx, call{args: []string{"merge-base", "--is-ancestor", commit, tip}})
		if err == nil {
			return true, nil
		}
		exit, ended := errors.AsType[*exec.ExitError](err)
		if !ended || exit.ExitCode() != 1 && !says(err, "not a valid commit") {
			return false, err
		}
	}
	return false, nil
}

// stored writes a file into the clone.
func (b *Backend) stored(ctx context.Context, data []byte) (string, error) {
	id, err := b.clone.line(ctx, call{args: []string{"hash-object", "-w", "--stdin"}, input: data})
	if err == nil {
		b.have[id] = true
	}
	return id, err
}
