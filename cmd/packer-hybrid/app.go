// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:03:42Z
// Spec: openspec/specs/cli/spec.md#requirement-streams
// Diagram: openspec/specs/cli/diagram.md#one-command

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/checks/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate"
	"github.com/packer-hybrid/packer-hybrid/runner"
)

// streams are the standard streams of one invocation.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is one invocation: its streams, environment and global flags.
type app struct {
	streams          // out and err pass the redactor
	raw      streams // as given; only for live lines, whose text is redacted already
	environ  []string
	redactor *logs.Redactor
	hurry    chan struct{} // closed by the second signal

	dir        string // --chdir
	output     string // --output: text or json
	matrix     string // --matrix of plan: github or gitlab
	noColor    bool
	verbose    bool
	packerPath string
	pluginDirs []string

	watcher watcher          // hears of each answer; nil for none
	policy  *validate.Policy // of a tree whose author is not trusted; nil trusts it
	posting []post.Option    // how reports are sent, beside the redaction
}

// watcher hears what a request comes to, beside who reads standard output.
type watcher interface {
	// Answer hears of a plan when it is made, and of each answer.
	Answer(doc checks.Document)
	Event(e hybridcore.Event)
}

// both reports progress to two.
type both [2]runner.Reporter

// Event implements runner.Reporter.
func (b both) Event(e hybridcore.Event) {
	for _, one := range b {
		one.Event(e)
	}
}

// exitError ends with a code after everything was said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// run is the whole program: it never panics on input and never calls os.Exit.
func run(ctx context.Context, std streams, args, environ []string) int {
	return (&app{raw: std, environ: environ}).run(ctx, args)
}

// run is the program with what a test has changed of it.
func (a *app) run(ctx context.Context, args []string) int {
	a.hurry = make(chan struct{})
	var weak []logs.Warning
	a.redactor, weak = logs.NewRedactor(logs.FromEnviron(a.environ)...)
	out, errs := a.redactor.Writer(a.raw.out), a.redactor.Writer(a.raw.err)
	a.streams = streams{a.raw.in, out, errs}
	ctx, stop := a.signals(ctx)
	defer stop()

	cmd := a.root(weak)
	cmd.SetArgs(args)
	code := a.finish(cmd.ExecuteContext(ctx))
	if errors.Join(out.Close(), errs.Close()) != nil && code == hybridcore.ExitOK {
		code = hybridcore.ExitFailed // the answer did not arrive
	}
	return code
}

// signals cancels the context at the first SIGINT or SIGTERM and closes
// hurry at the second. A reader that goes away is an error of the write, not
// the end of the process: a build must be recorded.
func (a *app) signals(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	caught := make(chan os.Signal, 2)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGTERM)
	signal.Ignore(syscall.SIGPIPE)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-caught:
			case <-done:
				return
			}
			cancel()
			if n == 1 {
				close(a.hurry)
			}
		}
	}()
	return ctx, func() { signal.Stop(caught); close(done); cancel() }
}

// finish prints an error, if it was not printed yet, and returns the exit code.
func (a *app) finish(err error) int {
	var silent exitError
	var findings *hybridcore.FindingsError
	switch {
	case err == nil:
		return hybridcore.ExitOK
	case errors.As(err, &silent):
		return int(silent)
	case errors.Is(err, context.Canceled):
		_, _ = fmt.Fprintln(a.err, "cancelled")
		return hybridcore.ExitCancelled
	}
	errors.As(err, &findings)
	if a.output == "json" {
		doc := checks.Document{Error: err.Error()}
		if findings != nil {
			doc.Error, doc.Findings = fmt.Sprintf("%d findings", len(findings.Findings)), findings.Findings
		}
		if werr := checks.WriteJSON(a.out, doc); werr != nil {
			_, _ = fmt.Fprintln(a.err, werr)
		}
		return hybridcore.ExitCode(err)
	}
	style := a.style(a.raw.err)
	if findings != nil {
		_ = checks.WriteFindings(a.err, style, findings.Findings)
	} else {
		_ = checks.WriteFindings(a.err, style, []hybridcore.Finding{{Severity: hybridcore.Error, Message: err.Error()}})
	}
	return hybridcore.ExitCode(err)
}

// style says what a stream can show: colours only on a terminal, and never
// with NO_COLOR or TERM=dumb.
func (a *app) style(w io.Writer) checks.Style {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || a.getenv("TERM") == "dumb" {
		return checks.Style{}
	}
	return checks.Style{Live: true, Color: !a.noColor && a.getenv("NO_COLOR") == ""}
}

func (a *app) getenv(name string) string {
	value := ""
	for _, entry := range a.environ {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value = v // the last one wins, as in a shell
		}
	}
	return value
}

// usage turns cobra's own errors into usage errors.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return hybridcore.Usagef("%v", err)
}

func (a *app) root(weak []logs.Warning) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "packer-hybrid",
		Short: "Identical golden images for Proxmox VE, VMware vSphere and Microsoft Azure",
		Long: `packer-hybrid builds identical golden images for Proxmox VE, VMware vSphere and
Microsoft Azure from one Packer codebase, and proves that they are identical.

Exit codes: 0 done, 1 a target failed, 2 wrong arguments, configuration or
templates, 3 blocked (drift, policy, lock, missing tool, leak), 4 changes are
pending (plan --detailed-exitcode), 130 cancelled.`,
		Example: `  packer-hybrid lab run -- packer-hybrid build debian-12 --env lab
  packer-hybrid plan --env prod
  packer-hybrid build ubuntu-24.04 --env prod --targets vsphere`,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			for _, w := range weak {
				_, _ = fmt.Fprintf(a.err, "warning: %s\n", w)
			}
			return checkOutput(cmd, a.output)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return hybridcore.Usagef("unknown command %.80q%s; see packer-hybrid --help", args[0], hybridcore.DidYouMean(args[0], names(cmd)))
		},
		Args: cobra.ArbitraryArgs,
	}
	cmd.SetIn(a.in)
	cmd.SetOut(a.out)
	cmd.SetErr(a.err)
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	fs := cmd.PersistentFlags()
	fs.StringVarP(&a.dir, "chdir", "C", "", "project directory (default: the nearest one above with a packer-hybrid.hcl)")
	fs.StringVarP(&a.output, "output", "o", "text", "form of the answer: text or json; of a plan also markdown")
	fs.BoolVar(&a.noColor, "no-color", false, "no colours on a terminal; NO_COLOR does the same")
	fs.BoolVarP(&a.verbose, "verbose", "v", false, "show every line of the builder's output")
	fs.StringVar(&a.packerPath, "packer", "", "packer binary (default: packer on PATH, then the one that make tools built)")
	fs.StringSliceVar(&a.pluginDirs, "plugin-dir", nil, "Packer plugin tree to take plugins from, before the others")
	for _, verb := range hybridcore.Verbs() {
		cmd.AddCommand(a.verb(verb))
	}
	cmd.AddCommand(a.botCmd(), a.ciCmd(), a.explainCmd(), a.flushCmd(), a.fmtCmd(), a.initCmd(), a.inspectCmd(), a.jobCmd(), a.labCmd(), a.sourcesCmd(), a.versionCmd())
	return cmd
}

// checkOutput refuses a form that a verb's answer does not have.
func checkOutput(cmd *cobra.Command, output string) error {
	switch {
	case output == "text" || output == "json":
		return nil
	case output == "markdown" && cmd.Name() == string(hybridcore.ActionPlan):
		return nil
	case output == "markdown":
		return hybridcore.Usagef("--output markdown is a form of plan; %s answers in text or json", cmd.Name())
	default:
		return hybridcore.Usagef("--output is %.80q: it must be text or json, of a plan also markdown", output)
	}
}

func names(cmd *cobra.Command) []string {
	var all []string
	for _, c := range cmd.Commands() {
		all = append(all, c.Name())
	}
	return all
}
