// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:02:00Z
// Spec: openspec/specs/state/spec.md#requirement-the-former-format
// Diagram: openspec/specs/state/diagram.md#upgrade

package directory

import (
	"context"
	"fmt"
	"io/fs"
	"iter"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Nothing is the state that is not there yet, to read only.
func Nothing(path string) *state.Store { return state.New(nothing(path), state.Capabilities{}) }

// nothing is a backend without objects, by its path.
type nothing string

// Get finds nothing.
func (n nothing) Get(_ context.Context, name string) ([]byte, error) {
	return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// List yields nothing.
func (nothing) List(context.Context, string) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

// Put stores nothing.
func (n nothing) Put(context.Context, string, []byte) error { return n.errReadOnly() }

// Delete removes nothing.
func (n nothing) Delete(context.Context, string) error { return n.errReadOnly() }

func (n nothing) errReadOnly() error {
	return hybridcore.Blockedf("the state in %s is not there, and was opened to read it only", string(n))
}
