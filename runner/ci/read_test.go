// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

func TestReadFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := ci.ReadFile(file, 5); err != nil || string(data) != "12345" {
		t.Errorf("%q, error %v", data, err)
	}
	for path, says := range map[string]string{
		file: "has more than 4 bytes", filepath.Dir(file): "is no regular file",
		"/dev/zero": "is no regular file", file + "x": "no such file",
	} {
		if _, err := ci.ReadFile(path, 4); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want %q", path, err, says)
		}
	}
}

// TestDefault holds the project file of this repository, which init writes for
// others, to what it says of itself: that it shows the defaults.
func TestDefault(t *testing.T) {
	t.Parallel()
	project, err := config.Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	standard := ci.Default()
	want := config.CI{
		Change: standard.Change, Merge: standard.Merge, Tag: standard.Tag, Schedule: standard.Schedule,
		Line: project.CI.Line,
	}
	if diff := cmp.Diff(want, project.CI); diff != "" {
		t.Error(diff)
	}
}
