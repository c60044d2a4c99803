// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:12:53Z
// Spec: openspec/specs/cli/spec.md#requirement-project-scaffold
// Diagram: openspec/specs/cli/diagram.md#one-command

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/spf13/cobra"

	packerhybrid "github.com/packer-hybrid/packer-hybrid"
)

// gitignore keeps what a project makes out of its repository.
const gitignore = "/artifacts/\n/logs/\n/sources/*/\n/state/\n/work/\n"

func (a *app) initCmd() *cobra.Command {
	return &cobra.Command{
		Use: "init [DIR]", Short: "Write a working project: templates, a lab environment, the project file",
		Long: `Init writes the project file, templates for every image of the catalogue and the
lab environment into a directory, the current one by default. Files that exist
stay as they are.`,
		Example: `  packer-hybrid init golden-images
  cd golden-images
  packer-hybrid lab run -- packer-hybrid build debian-12 --env lab`,
		Args: maxOne,
		RunE: func(_ *cobra.Command, args []string) error {
			dir := a.dir
			if len(args) == 1 {
				dir = args[0]
			}
			if dir == "" {
				dir = "."
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return fmt.Errorf("making the project directory: %w", err)
			}
			return a.scaffold(dir)
		},
	}
}

// scaffold writes the embedded project below dir, and never over a file.
func (a *app) scaffold(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("opening the project directory: %w", err)
	}
	defer func() { _ = root.Close() }()
	written, kept := 0, 0
	put := func(name string, data []byte) error {
		fresh, err := writeNew(root, name, data)
		switch {
		case err != nil:
			return err
		case fresh:
			written++
		default:
			kept++
			_, _ = fmt.Fprintf(a.Out, "kept     %s\n", name)
		}
		return nil
	}
	err = fs.WalkDir(packerhybrid.Scaffold, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := packerhybrid.Scaffold.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading the embedded project: %w", err)
		}
		return put(name, data)
	})
	if err == nil {
		err = put(".gitignore", []byte(gitignore))
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.Out, "%d files written, %d kept\nnext: cd %s && packer-hybrid plan\n", written, kept, dir)
	return err //nolint:wrapcheck // nothing to add
}

// writeNew writes a file that does not exist yet, and says whether it did.
func writeNew(root *os.Root, name string, data []byte) (bool, error) {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return false, fmt.Errorf("making the folder of %s: %w", name, err)
	}
	mode := fs.FileMode(0o644)
	if strings.HasPrefix(string(data), "#!") {
		mode = 0o755
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("writing %s: %w", name, err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return false, errors.Join(fmt.Errorf("writing %s: %w", name, err), root.Remove(name))
	}
	return true, nil
}
