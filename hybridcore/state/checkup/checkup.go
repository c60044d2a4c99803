// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:06:50Z
// Spec: openspec/specs/state/spec.md#requirement-a-look-at-every-object
// Diagram: openspec/specs/state/diagram.md#objects

// Package checkup looks at every object of a state: its form, its checksum, and whether
// what it refers to is there.
package checkup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Rules of the findings about a state.
const (
	RuleDamaged      = "state-damaged"      // an object cannot be used
	RuleMissing      = "state-missing"      // an object names one that is not there
	RuleChanged      = "state-changed"      // an object is not the one that another names
	RuleUnknown      = "state-unknown"      // what is there is none of the objects of a state
	RuleUnreferenced = "state-unreferenced" // an attachment is of a run that has no record
)

// atOnce is how many objects are brought near at once.
const atOnce = 1000

// Result is what a look at every object came to.
type Result struct {
	Objects  map[state.Kind]int
	Findings []hybridcore.Finding
}

// reference is what one object says of another.
type reference struct{ from, to, sha256 string }

// looking is a look at every object.
type looking struct {
	s       *state.Store
	sums    map[string]string // of the attachments that are there
	records map[string]bool   // by run
	refers  []reference
	newest  string // snapshot
	found   Result
}

// Check reads every object and what it says of others, and tells how far it is. It
// changes nothing. What is removed meanwhile is not missed.
func Check(ctx context.Context, s *state.Store, tell func(done, all int)) (Result, error) {
	var names []string
	for name, err := range s.Objects().List(ctx, "") {
		if err != nil {
			return Result{}, fmt.Errorf("listing the state: %w", err)
		}
		names = append(names, name)
	}
	l := &looking{
		s: s, sums: map[string]string{}, records: map[string]bool{}, found: Result{Objects: map[state.Kind]int{}},
	}
	done := 0
	for some := range slices.Chunk(names, atOnce) {
		if many, can := s.Objects().(state.Many); can {
			if err := many.Ahead(ctx, some); err != nil {
				return Result{}, fmt.Errorf("reading the state: %w", err)
			}
		}
		for _, name := range some {
			if err := l.at(ctx, name); err != nil {
				return Result{}, err
			}
			done++
			tell(done, len(names))
		}
	}
	if err := l.snapshot(ctx); err != nil {
		return Result{}, err
	}
	l.references()
	return l.found, nil
}

// at looks at one object.
func (l *looking) at(ctx context.Context, name string) error {
	kind := state.KindOf(name)
	if kind == state.KindUnknown {
		l.found.Objects[kind]++
		l.add(RuleUnknown, name, "it is no object of a state", "move it away, or update packer-hybrid if a newer one "+
			"has put it there")
		return nil
	}
	data, err := l.s.Objects().Get(ctx, name)
	form, malformed := errors.AsType[state.FormError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // as generations are that others came after
	case malformed:
		err = form
	case err != nil:
		return fmt.Errorf("reading %s: %w", name, err)
	default:
		err = state.Examine(name, data)
	}
	l.found.Objects[kind]++
	if err != nil {
		l.damaged(name, kind, err)
		return nil
	}
	switch kind {
	case state.KindAttachment:
		sum := sha256.Sum256(data)
		l.sums[name] = hex.EncodeToString(sum[:])
	case state.KindRecord:
		return l.record(ctx, name)
	case state.KindSnapshot:
		l.newest = name // they are in order
	case state.KindLease, state.KindTicket, state.KindSeen, state.KindUnknown:
	}
	return nil
}

// damaged notes an object that cannot be used.
func (l *looking) damaged(name string, kind state.Kind, cause error) {
	hint := "put it back from a backup with packer-hybrid state push"
	switch {
	case state.IsNewer(cause):
		hint = "update packer-hybrid to the version that the others use"
	case kind == state.KindSnapshot:
		hint = "if it is the newest, packer-hybrid status names the command that puts a former one in its place; others " +
			"are removed by later changes"
	case kind == state.KindRecord, kind == state.KindAttachment:
		hint = "move it away, then " + hint
	case kind == state.KindSeen:
		hint = "remove it: what is known is seen anew"
	case kind == state.KindTicket:
		hint = "move it away; who asked in Slack asks again"
	}
	l.add(RuleDamaged, name, cause.Error(), hint)
}

// record notes what a record says of others.
func (l *looking) record(ctx context.Context, name string) error {
	run := state.RunOf(name)
	l.records[run] = true
	rec, err := l.s.Record(ctx, run)
	if err != nil {
		return err
	}
	for _, res := range rec.Results {
		l.inventory(name, res.Inventory)
	}
	if rec.Release == nil {
		return nil
	}
	for _, image := range rec.Release.Images {
		for _, a := range image.Artifacts {
			l.refers = append(l.refers, reference{from: name, to: state.RecordName(a.RunID)})
			l.inventory(name, a.Inventory)
		}
	}
	return nil
}

func (l *looking) inventory(from string, one *hybridcore.Inventory) {
	if one != nil {
		l.refers = append(l.refers, reference{from, one.File, one.SHA256})
	}
}

// snapshot notes what the newest snapshot says of others.
func (l *looking) snapshot(ctx context.Context) error {
	if l.newest == "" {
		return nil
	}
	now, err := l.s.Read(ctx)
	if _, blocked := errors.AsType[*hybridcore.BlockedError](err); blocked {
		return nil // it was told
	}
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(now.Targets)) {
		current := now.Targets[key]
		l.refers = append(l.refers, reference{from: l.newest, to: state.RecordName(current.RunID)})
		l.inventory(l.newest, current.Inventory)
	}
	for _, key := range slices.Sorted(maps.Keys(now.Releases)) {
		l.refers = append(l.refers, reference{from: l.newest, to: state.RecordName(now.Releases[key].RunID)})
	}
	return nil
}

// references holds what objects say of others against what is there.
func (l *looking) references() {
	damaged, seen := map[string]bool{}, map[reference]bool{}
	for _, f := range l.found.Findings {
		damaged[f.Subject] = true
	}
	for _, r := range l.refers {
		sum, there := l.sums[r.to]
		there = there || l.records[state.RunOf(r.to)]
		switch {
		case seen[r], damaged[r.to]: // it was told
		case !there:
			l.add(RuleMissing, r.to, "it is not there, and "+r.from+" refers to it",
				"put it back from a backup with packer-hybrid state push")
		case r.sha256 != "" && sum != r.sha256:
			l.add(RuleChanged, r.to, fmt.Sprintf("its content has sha256 %.12s, %s says %.12s", sum, r.from, r.sha256),
				"move it away, then put it back from a backup with packer-hybrid state push, or build the image again")
		}
		seen[r] = true
	}
	for _, name := range slices.Sorted(maps.Keys(l.sums)) {
		if run := state.AttachedTo(name); !l.records[run] && !damaged[state.RecordName(run)] {
			l.add(RuleUnreferenced, name, "no record of run "+run+" is there: it was killed, or is about to put it", "")
		}
	}
}

// add notes a finding. An attachment without a record does no harm.
func (l *looking) add(rule, name, message, hint string) {
	f := hybridcore.Finding{
		Kind: state.KindState, Rule: rule, Subject: name, Message: text.Line(name) + ": " + message, Hint: hint,
		Severity: hybridcore.Error, Blocking: true,
	}
	switch rule {
	case RuleUnreferenced:
		f.Severity, f.Blocking = hybridcore.Info, false
	case RuleUnknown:
		f.Severity = hybridcore.Warning
	}
	l.found.Findings = append(l.found.Findings, f)
}
