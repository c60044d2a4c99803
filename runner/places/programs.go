// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:19:00Z
// Spec: openspec/specs/full-validation/spec.md#requirement-a-program-of-its-own
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package places

import (
	"os"
	"path/filepath"
)

// Beside are the paths that a program of ours may have: in the folder of this
// one, then in others.
func Beside(name string, others ...string) []string {
	dirs := others
	if self, err := os.Executable(); err == nil {
		dirs = append([]string{filepath.Dir(self)}, others...)
	}
	paths := make([]string, len(dirs))
	for i, dir := range dirs {
		paths[i] = filepath.Join(dir, name)
	}
	return paths
}

// FirstProgram is the first of the paths that is absolute and can be run, empty
// for none.
func FirstProgram(paths []string) string {
	for _, path := range paths {
		info, err := os.Stat(path)
		if filepath.IsAbs(path) && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}
