// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/config/spec.md#requirement-the-project-file
// Diagram: openspec/specs/config/diagram.md#the-project-file

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// FindRoot returns the absolute path of the nearest folder at or above dir
// that holds a project file. It gives a UsageError when there is none.
func FindRoot(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the project: %w", err)
	}
	for at := start; ; at = filepath.Dir(at) {
		_, err := os.Lstat(filepath.Join(at, FileName))
		switch {
		case err == nil:
			return at, nil
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
			return "", fmt.Errorf("finding the project: %w", err)
		case at == filepath.Dir(at):
			return "", hybridcore.Usagef("no %s in %s or any folder above it; change into a project, or run `packer-hybrid init` to make one", FileName, start)
		}
	}
}

// Load reads the project file in dir. It gives a *hybridcore.FindingsError for
// what is wrong in the file, and a UsageError when there is none.
func Load(dir string) (Project, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Project{}, fmt.Errorf("loading the project: %w", err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return Project{}, fmt.Errorf("loading the project: %w", err)
	}
	defer root.Close() //nolint:errcheck // only read
	project, err := LoadFS(hclfile.Folder(root))
	if errors.Is(err, fs.ErrNotExist) {
		return Project{}, hybridcore.Usagef("no %s in %s; run `packer-hybrid init` to make one", FileName, abs)
	}
	project.Root = abs
	return project, err
}

// LoadFS reads the project file at the top of a tree. A missing one gives an
// error that is fs.ErrNotExist. The project has no root.
func LoadFS(tree fs.FS) (Project, error) {
	file, err := hclfile.ReadFS(tree, FileName, hclfile.Project())
	if err != nil {
		return Project{}, fmt.Errorf("loading the project: %w", err)
	}
	project, findings := decode(file)
	if len(findings) > 0 {
		return Project{}, &hybridcore.FindingsError{Findings: findings}
	}
	return project, nil
}
