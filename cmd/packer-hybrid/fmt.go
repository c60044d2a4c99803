// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:45:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-formatting
// Diagram: openspec/specs/static-validation/diagram.md#formatting

package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/format"
)

// fmtCmd is the verb fmt. It is for a working tree only: no other door has it.
func (a *app) fmtCmd() *cobra.Command {
	var check, show bool
	cmd := &cobra.Command{
		Use: "fmt [PATH...]", Short: "Write templates and variable files in canonical form",
		Long: `Fmt writes *.pkr.hcl and *.pkrvars.hcl files, byte for byte as packer fmt does,
below the given files and folders, or below templates/ and configs/ of the
project. It names the files that it changed. With --check it changes nothing and
exits 4 when it would. What is known to be canonical is told by its digest.`,
		Example: `  packer-hybrid fmt
  packer-hybrid fmt --check --diff
  packer-hybrid fmt templates/platforms`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.fmt(cmd.Context(), args, check, show)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "change nothing, and exit 4 when a file would change")
	cmd.Flags().BoolVar(&show, "diff", false, "show the changes")
	return cmd
}

func (a *app) fmt(ctx context.Context, paths []string, check, show bool) error {
	if len(paths) == 0 {
		project, err := a.process().Project()
		if err != nil {
			return err
		}
		root := project.Root
		if here, err := filepath.Abs("."); err == nil {
			if near, err := filepath.Rel(here, root); err == nil {
				root = near
			}
		}
		paths = []string{filepath.Join(root, templates.Dir), filepath.Join(root, templates.ConfigsDir)}
	}
	formatter := format.Formatter{Cache: filepath.Join(a.process().Places().CacheDir(), "fmt", "canonical"), Write: !check}
	changed, err := formatter.Run(ctx, paths)
	if werr := a.formatted(changed, show); werr != nil {
		return fmt.Errorf("writing the answer: %w", werr)
	}
	if err == nil && check && len(changed) > 0 {
		return hybridcore.Exit(hybridcore.ExitChanges)
	}
	return err
}

// formatted names the files that are not canonical, or shows their changes.
func (a *app) formatted(changed []format.Formatted, show bool) error {
	if a.Output == "json" {
		findings := make([]hybridcore.Finding, 0, len(changed))
		for _, f := range changed {
			findings = append(findings, hybridcore.Finding{
				Kind: hybridcore.KindSchema, Rule: "format", Subject: f.Path, File: f.Path, Severity: hybridcore.Warning,
				Message: "the file is not in canonical format",
			})
		}
		return a.JSON(func(w io.Writer) error { return checks.WriteJSON(w, hybridcore.Answer{Findings: findings}) })
	}
	for _, f := range changed {
		path := text.Sanitize(f.Path)
		said := path + "\n"
		if show {
			said += text.Sanitize(string(diff.Diff(path, f.Before, path, f.After)))
		}
		if _, err := fmt.Fprint(a.Out, said); err != nil {
			return err //nolint:wrapcheck // the caller says what was written
		}
	}
	return nil
}
