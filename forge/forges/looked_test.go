// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:54:00Z
// Spec: openspec/specs/bot/spec.md#requirement-the-answer-of-a-run
// Diagram: openspec/specs/bot/diagram.md#parts

package forges_test

import (
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/forge"
)

// The answer of a look is that of its run; the one of a job that looked at a platform is none.
func TestTheAnswerOfALook(t *testing.T) {
	t.Parallel()
	whole, err := forge.ReadAnswer(strings.NewReader(`{"request":{"action":"drift"},"drift":{"env":"lab"},"exit":3}`))
	if err != nil || whole == nil || whole.Drift == nil || whole.Drift.Env != "lab" {
		t.Errorf("%+v, %v", whole, err)
	}
	part, err := forge.ReadAnswer(strings.NewReader(`{"request":{"action":"drift"},"exit":0}`))
	if err != nil || part != nil {
		t.Errorf("%+v, %v", part, err)
	}
}
