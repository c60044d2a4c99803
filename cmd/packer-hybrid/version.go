// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:05:17Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs
// Diagram: openspec/specs/cli/diagram.md#one-command

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
)

// versionInfo is the JSON answer of the verb version.
type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	Packer  string `json:"packer,omitempty"` // version of the Packer that would be used
}

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show the versions of packer-hybrid and of the Packer it would use",
		Example: "  packer-hybrid version --output json",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info := versionInfo{Version: cli.Version(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
			if build, ok := debug.ReadBuildInfo(); ok {
				for _, s := range build.Settings {
					if s.Key == "vcs.revision" {
						info.Commit = s.Value
					}
				}
			}
			packer := "none found"
			if tool, err := a.process().FindPacker(0)(cmd.Context()); err == nil {
				info.Packer, packer = tool.Version, tool.Version+" ("+tool.Path+")"
			}
			if a.Output == "json" {
				return a.JSON(func(w io.Writer) error {
					enc := json.NewEncoder(w)
					enc.SetIndent("", "  ")
					return enc.Encode(info)
				})
			}
			_, err := fmt.Fprintf(a.Out, "packer-hybrid %s (%s, %s/%s)\npacker        %s\n", info.Version, info.Go, info.OS,
				info.Arch, packer)
			return err //nolint:wrapcheck // nothing to add
		},
	}
}
