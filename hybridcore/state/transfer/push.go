// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:08:37Z
// Spec: openspec/specs/state/spec.md#requirement-a-state-is-repaired
// Diagram: openspec/specs/state/diagram.md#push

package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Pushed is what a push came to. Names are in the order in which they were put.
type Pushed struct {
	Put      []string `json:"put"`                // missing before
	Repaired []string `json:"repaired,omitempty"` // generations put after one that was refused
	There    int      `json:"there"`              // the same already, or came after by now
	Kept     []string `json:"kept,omitempty"`     // are another one there, which stays
	Refused  []string `json:"refused,omitempty"`  // cannot be used, or are no objects, in the folder
}

// pushing puts objects of a copy into the state.
type pushing struct {
	from, to state.Backend
	last     map[string]uint64 // newest generations in the state
	refused  map[string]bool   // folders of which the newest generation cannot be used
	came     Pushed
}

// Push puts what a state lacks of its copy. After a newest generation that cannot be
// used the newest one of the copy that can be is put under the next number. A copy of
// another state is refused.
func Push(ctx context.Context, from, to *state.Store, tell Progress) (Pushed, error) {
	p := pushing{from: from.Objects(), to: to.Objects(), refused: map[string]bool{}, came: Pushed{Put: []string{}}}
	copied, others, err := names(ctx, p.from)
	if err != nil {
		return Pushed{}, err
	}
	if len(copied) == 0 {
		return Pushed{}, hybridcore.Usagef("the folder holds no objects of a state")
	}
	if err := p.oneLineage(ctx); err != nil {
		return Pushed{}, err
	}
	have, _, err := names(ctx, p.to)
	if err != nil {
		return Pushed{}, err
	}
	if err := p.look(ctx, have); err != nil {
		return Pushed{}, err
	}
	p.came.Refused = others
	slices.SortStableFunc(copied, func(a, b string) int { return rank(a) - rank(b) })
	for i, name := range copied {
		if err := p.push(ctx, name); err != nil {
			return p.came, err
		}
		tell("looked at", i+1, len(copied))
	}
	return p.came, p.repair(ctx, copied)
}

// oneLineage refuses the copy of another state.
func (p *pushing) oneLineage(ctx context.Context) error {
	mine, n, err := state.Lineage(ctx, p.from)
	if err != nil {
		return err
	}
	its, m, err := state.Lineage(ctx, p.to)
	if err != nil {
		return err
	}
	if n > 0 && m > 0 && mine != its {
		return hybridcore.Blockedf("the folder holds another state: its lineage is %.32s, that of the state %.32s", mine, its)
	}
	return nil
}

// look finds the newest generations of the state, and those that cannot be used.
func (p *pushing) look(ctx context.Context, have []string) error {
	p.last = newest(have)
	for folder, n := range p.last {
		name := state.Generation(folder, n)
		data, err := p.to.Get(ctx, name)
		if _, malformed := errors.AsType[state.FormError](err); err != nil && !malformed {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		p.refused[folder] = err != nil || state.Examine(name, data) != nil
	}
	return nil
}

// push puts one object of the copy, if the state lacks it.
func (p *pushing) push(ctx context.Context, name string) error {
	data, err := p.from.Get(ctx, name)
	if err == nil {
		err = state.Examine(name, data)
	}
	if err != nil || state.KindOf(name) == state.KindUnknown {
		p.came.Refused = append(p.came.Refused, name)
		return ctx.Err() //nolint:wrapcheck // of the caller
	}
	there, err := p.to.Get(ctx, name)
	folder, n := state.Numbered(name)
	_, malformed := errors.AsType[state.FormError](err)
	switch {
	case err == nil && bytes.Equal(data, there), n > 0 && n < p.last[folder]: // or others came after it
		p.came.There++
	case err == nil, malformed:
		if n == 0 || !p.refused[folder] || n != p.last[folder] { // which is repaired
			p.came.Kept = append(p.came.Kept, name)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("reading %s: %w", name, err)
	default:
		return p.put(ctx, name, data, &p.came.Put)
	}
	return nil
}

func (p *pushing) put(ctx context.Context, name string, data []byte, list *[]string) error {
	switch err := p.to.Put(ctx, name, data); {
	case errors.Is(err, fs.ErrExist):
		p.came.Kept = append(p.came.Kept, name)
	case err != nil:
		return fmt.Errorf("storing %s: %w", name, err)
	default:
		*list = append(*list, name)
	}
	return nil
}

// repair puts the newest generation of the copy after one that cannot be used, unless
// the copy had a later one, which is put by now.
func (p *pushing) repair(ctx context.Context, copied []string) error {
	best := newest(slices.DeleteFunc(slices.Clone(copied), func(name string) bool {
		return slices.Contains(p.came.Refused, name)
	}))
	for folder, n := range best {
		if !p.refused[folder] || n > p.last[folder] {
			continue
		}
		data, err := p.from.Get(ctx, state.Generation(folder, n))
		if err != nil {
			return fmt.Errorf("reading the copy: %w", err)
		}
		if err := p.put(ctx, state.Generation(folder, p.last[folder]+1), data, &p.came.Repaired); err != nil {
			return err
		}
	}
	return nil
}
