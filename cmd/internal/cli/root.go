// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:34:29Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs
// Diagram: openspec/specs/cli/diagram.md#one-command

package cli

import (
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// version is set by the linker from the checkout's tag.
var version = ""

// Unversioned is the version of a program that was given none.
const Unversioned = "dev"

// Version is that of this program.
func Version() string {
	own := version
	if build, ok := debug.ReadBuildInfo(); ok && own == "" {
		own = build.Main.Version
	}
	if own == "" || own == "(devel)" {
		return Unversioned
	}
	return own
}

// Root makes a command the root of a program's verbs: its streams, the flags of
// all verbs, and usage errors for what is wrong.
func (f *Frame) Root(cmd *cobra.Command) *cobra.Command {
	Group(cmd)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, w := range f.weak {
			_, _ = fmt.Fprintf(f.Err, "warning: %s\n", w)
		}
		return checkOutput(cmd, f.Output)
	}
	cmd.SetIn(f.In)
	cmd.SetOut(f.Out)
	cmd.SetErr(f.Err)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return hybridcore.Usagef("%v", err) })
	fs := cmd.PersistentFlags()
	fs.StringVarP(&f.Output, "output", "o", "text", "form of the answer: text or json; of plan and drift also markdown")
	fs.BoolVar(&f.NoColor, "no-color", false, "no colours on a terminal; NO_COLOR does the same")
	return cmd
}

// Group makes a command one that only has other commands: it shows its help,
// and names the nearest of them for one that it does not have.
func Group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		var names []string
		for _, c := range cmd.Commands() {
			names = append(names, c.Name())
		}
		return hybridcore.Usagef("unknown command %.80q%s; see %s --help", args[0], text.DidYouMean(args[0], names),
			cmd.CommandPath())
	}
	return cmd
}

// inMarkdown are verbs whose answer has the form of a comment.
var inMarkdown = []hybridcore.Action{hybridcore.ActionPlan, hybridcore.ActionDrift}

// checkOutput refuses a form that a verb's answer does not have.
func checkOutput(cmd *cobra.Command, output string) error {
	switch {
	case output == "text" || output == "json":
		return nil
	case output == "markdown" && slices.Contains(inMarkdown, hybridcore.Action(cmd.Name())):
		return nil
	case output == "markdown":
		return hybridcore.Usagef("--output markdown is a form of plan and drift; %s answers in text or json", cmd.Name())
	default:
		return hybridcore.Usagef("--output is %.80q: it must be text or json, of a plan also markdown", output)
	}
}

// NoArgs refuses every argument with a usage error.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return hybridcore.Usagef("%s takes no argument, got %s", cmd.Name(), fmt.Sprintf("%.80q", args[0]))
	}
	return nil
}
