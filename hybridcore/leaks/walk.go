// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:08:42Z
// Spec: openspec/specs/leaks/spec.md#requirement-every-file-of-the-project
// Diagram: openspec/specs/leaks/diagram.md#one-scan

package leaks

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// Walk lists the files of a project that is in no repository: all but git's own and those
// below the folders to skip, and no more than a scan reads.
func Walk(ctx context.Context, root *os.Root, skip []string) ([]string, error) {
	var names []string
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && d != nil && d.IsDir():
			names = append(names, name) // said to be closed when it is read
			return fs.SkipDir
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || slices.Contains(skip, name)):
			return fs.SkipDir
		case len(names) > maxFiles:
			return fs.SkipAll
		case d.Type().IsRegular():
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing the files of the project: %w", err)
	}
	return names, nil
}
