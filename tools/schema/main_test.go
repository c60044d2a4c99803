// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:05:35Z
// Spec: openspec/specs/plan/spec.md#requirement-published-schemas
// Diagram: openspec/specs/plan/diagram.md#two-trees

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSchemasFitTheTypes(t *testing.T) {
	t.Parallel()
	made, err := generate("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range made {
		got, err := os.ReadFile(filepath.Join("..", "..", "docs", "schemas", name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("docs/schemas/%s is not what the types say; run: go run ./tools/schema\n%s", name, diff)
		}
	}
}
