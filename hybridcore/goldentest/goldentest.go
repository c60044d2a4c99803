// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T12:38:00Z
// Spec: openspec/specs/repository/spec.md#requirement-two-commands
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

// Package goldentest holds what code makes to files below testdata. `go test -update`
// rewrites them, to be read before they are committed.
package goldentest

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files") //nolint:gochecknoglobals // a flag of go test

// Updating says whether golden files are rewritten, for tests that hold them in another way.
func Updating() bool { return *update }

// Compare fails the test when a text is not that of a file below testdata.
func Compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test -update rewrites it):\n%s", path, diff)
	}
}
