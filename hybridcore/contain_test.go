// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:23:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package hybridcore_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func TestContain(t *testing.T) {
	t.Parallel()
	want := errors.New("x")
	if err := hybridcore.Contain(func() error { return want }); !errors.Is(err, want) {
		t.Error(err)
	}
	err := hybridcore.Contain(func() error {
		var nothing *struct{ at int }
		nothing.at = 1 //nolint:govet // the fault of this test
		return nil
	})
	panicked, ok := errors.AsType[*hybridcore.PanicError](err)
	if !ok || !strings.Contains(err.Error(), "nil pointer") || !strings.Contains(panicked.Stack, "TestContain") {
		t.Errorf("%v", err)
	}
}
