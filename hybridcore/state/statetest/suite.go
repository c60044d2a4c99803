// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:06:42Z
// Spec: openspec/specs/state/spec.md#requirement-one-suite-for-every-backend
// Diagram: openspec/specs/state/diagram.md#objects

package statetest

import (
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Open makes a backend without objects, and says what it can do besides.
type Open func(t *testing.T) (state.Backend, state.Capabilities)

// Suite is what every backend must do.
func Suite(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, state.Backend){
		"put once": putOnce, "missing": missing, "delete": deleted, "list": list, "one of many": oneOfMany,
		"together":      together,
		"hostile names": hostileNames, "sizes": sizes, "ended contexts": endedContexts,
	} {
		t.Run("objects/"+name, func(t *testing.T) {
			b, _ := open(t)
			test(t, b)
		})
	}
	for name, test := range map[string]func(*testing.T, opened){
		"snapshot": snapshot, "failed change": failedChange, "foreign lineage": foreignLineage, "parallel": parallel,
		"generations": generations, "sleeper": sleeper, "records": records, "attachments": attachments,
		"unrecorded attachments": unrecorded, "leases": leases, "ended holder": endedHolder, "tickets": tickets,
		"cancelled": cancelled, "newer": newer, "checked": checked, "freed": freed,
		"clocks of the holder": clocksOfTheHolder, "clock of the other": clockOfTheOther,
		"clock of the host": clockOfTheHost,
	} {
		t.Run("state/"+name, func(t *testing.T) {
			b, can := open(t)
			test(t, opened{state.New(b, can), b, can})
		})
	}
}
