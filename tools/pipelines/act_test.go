// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:45:20Z
// Spec: openspec/specs/repository/spec.md#requirement-whole-pipelines
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

//go:build pipelines

package pipelines_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestWorkflowsAreValid has act's own schema judge every workflow.
func TestWorkflowsAreValid(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(repository, ".github/workflows/*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflow was found: %v", err)
	}
	for _, file := range files {
		out, err := exec.CommandContext(t.Context(), tool(t, "act"), "--validate", "--strict", "-W", file).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}
