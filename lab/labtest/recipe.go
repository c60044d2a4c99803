// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:18:00Z
// Spec: openspec/specs/repository/spec.md#requirement-time-of-the-check
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package labtest

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// roles are those of a project's playbook, which end it.
var roles = regexp.MustCompile(`(?s)\n  roles:\n.*`)

// ShortRecipe takes the installation of packages out of the recipe of a new project. That is three quarters of the work
// of a build in the lab, and most tests of whole builds ask what becomes of a build, not what is in the image.
func ShortRecipe(tb testing.TB, project string) {
	tb.Helper()
	path := filepath.Join(project, "templates", "ansible", "linux.yml")
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	if !roles.Match(text) {
		tb.Fatalf("%s has no roles at its end", path)
	}
	text = roles.ReplaceAll(text, []byte("\n  roles:\n    - users\n    - configure\n    - clean\n"))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		tb.Fatal(err)
	}
}
