// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:21:40Z
// Spec: openspec/specs/state/spec.md#requirement-one-suite-for-every-backend
// Diagram: openspec/specs/state/diagram.md#objects

package state_test

import (
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// The suite needs no directory, and neither does the state.
func TestMemory(t *testing.T) {
	statetest.Suite(t, func(*testing.T) (state.Backend, state.Capabilities) {
		return state.NewMemory(), state.Capabilities{}
	})
}

func TestMemoryThatKnowsWhoLives(t *testing.T) {
	statetest.Suite(t, func(*testing.T) (state.Backend, state.Capabilities) {
		m := state.NewMemory()
		return m, state.Capabilities{Liveness: m}
	})
}
