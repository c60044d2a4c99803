// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:36:52Z
// Spec: openspec/specs/lab/spec.md#requirement-a-program-of-its-own
// Diagram: openspec/specs/lab/diagram.md#two-programs

package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/places"
)

// labName is the program that is the lab.
const labName = "packer-hybrid-lab"

// labCmd becomes packer-hybrid-lab, for which everything behind the verb is.
func (a *app) labCmd() *cobra.Command {
	return &cobra.Command{
		Use: "lab VERB [ARG...]", Short: "Simulate the platforms and guests on this machine",
		Long: `Lab runs commands against simulated platforms and guests; its verbs are run, up,
down and prepare. It is a program of its own, packer-hybrid-lab, of the version of
packer-hybrid and beside it or on PATH: "packer-hybrid lab --help" is its help.`,
		Example:            "  packer-hybrid lab run -- packer-hybrid build debian-12 --env lab",
		DisableFlagParsing: true, DisableFlagsInUseLine: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil }, // it warns by itself
		ValidArgsFunction: a.completeLab,
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := findLab(cmd.Context(), a.Environ, cli.Version())
			if err != nil && asksHelp(args) {
				_, _ = fmt.Fprintf(a.Err, "warning: %v\n\n", err)
				return cmd.Help()
			}
			if err != nil {
				return err
			}
			return become(path, args, a.Environ)
		},
	}
}

// asksHelp says whether arguments of the lab ask for help, before any command.
func asksHelp(args []string) bool {
	if n := slices.Index(args, "--"); n >= 0 {
		args = args[:n]
	}
	return len(args) == 0 || slices.Contains(args, "--help") || slices.Contains(args, "-h")
}

// become replaces this process by packer-hybrid-lab. It returns when that fails.
func become(path string, args, environ []string) error {
	err := syscall.Exec(path, append([]string{labName}, args...), environ)
	return &hybridcore.BlockedError{Msg: "starting " + path, Err: err}
}

// completeLab has packer-hybrid-lab answer the shell.
func (a *app) completeLab(cmd *cobra.Command, args []string, toComplete string) ([]cobra.Completion,
	cobra.ShellCompDirective,
) {
	path, err := findLab(cmd.Context(), a.Environ, cli.Version())
	if err == nil {
		request := cobra.ShellCompRequestCmd
		for _, c := range cmd.Root().Commands() {
			if c.CalledAs() == cobra.ShellCompNoDescRequestCmd {
				request = c.CalledAs()
			}
		}
		err = become(path, append(append([]string{request}, args...), toComplete), a.Environ)
	}
	return cobra.AppendActiveHelp(nil, err.Error()), cobra.ShellCompDirectiveNoFileComp
}

// findLab looks for packer-hybrid-lab beside this program and on PATH, and
// refuses one of another version: each side takes for granted what the other
// does. A program that was given no version has nothing to compare.
func findLab(ctx context.Context, environ []string, version string) (string, error) {
	published := version
	if version == cli.Unversioned {
		published = "latest"
	}
	get := fmt.Sprintf("`make build` makes both, `go install github.com/packer-hybrid/packer-hybrid/cmd/%s@%s` "+
		"installs it, and the container image has both", labName, published)
	paths := places.Beside(labName, filepath.SplitList(places.Env(environ).Getenv("PATH"))...)
	path := places.FirstProgram(paths)
	if path == "" {
		return "", hybridcore.Blockedf(
			"%s, which simulates the platforms, was not found beside packer-hybrid (%s) or on PATH; %s", labName, paths[0], get)
	}
	if version == cli.Unversioned {
		return path, nil
	}
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Env = environ
	said, err := cmd.Output()
	if ctx.Err() != nil {
		return "", fmt.Errorf("asking %s for its version: %w", path, ctx.Err())
	}
	if got, want := strings.TrimSpace(string(said)), "packer-hybrid lab version "+version; err != nil || got != want {
		return "", &hybridcore.BlockedError{Msg: fmt.Sprintf(
			"%s says %.80q, not %q: it must be of the version of packer-hybrid; %s", path, got, want, get), Err: err}
	}
	return path, nil
}
