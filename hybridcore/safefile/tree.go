// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:00:26Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package safefile

import (
	"os"
	"path/filepath"
)

// WorkTree is the folder at or above dir that holds .git: what a checkout can
// write to. Without one it is dir.
func WorkTree(dir string) string {
	dir = real(dir)
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// Inside says whether path, which need not be there, is tree or below it. Both
// are compared as the system resolves them.
func Inside(path, tree string) bool {
	rel, err := filepath.Rel(real(tree), real(path))
	return err != nil || filepath.IsLocal(rel)
}

// real is a path without links, as far as it is there.
func real(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	rest := ""
	for at := path; ; at = filepath.Dir(at) {
		if found, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(found, rest)
		}
		if at == filepath.Dir(at) {
			return path
		}
		rest = filepath.Join(filepath.Base(at), rest)
	}
}
