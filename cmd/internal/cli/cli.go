// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:34:29Z
// Spec: openspec/specs/cli/spec.md#requirement-streams
// Diagram: openspec/specs/cli/diagram.md#one-command

// Package cli is what the commands have in common: streams that pass the
// redactor, signals, the root of their verbs, errors and exit codes.
package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
)

// Streams are the standard streams of one invocation.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Frame is one invocation: its streams, environment and the flags of all verbs.
type Frame struct {
	Streams          // Out and Err pass the redactor
	Raw      Streams // as given; for children that redact by themselves, and live lines, whose text is redacted already
	Environ  []string
	Redactor *redact.Redactor
	Hurry    chan struct{} // closed by the second signal

	Output  string // --output: text or json
	NoColor bool
	weak    []redact.Warning
}

// OfProcess is the frame of this process.
func OfProcess() Frame {
	return Frame{Raw: Streams{os.Stdin, os.Stdout, os.Stderr}, Environ: os.Environ()}
}

// Run is a whole program: it makes the root command, executes it and returns
// the exit code. It never panics on input and never calls os.Exit.
func (f *Frame) Run(ctx context.Context, root func() *cobra.Command, args []string) int {
	f.Hurry = make(chan struct{})
	f.Redactor, f.weak = redact.New(redact.FromEnviron(f.Environ)...)
	out, errs := f.Redactor.Writer(f.Raw.Out), f.Redactor.Writer(f.Raw.Err)
	f.Streams = Streams{f.Raw.In, out, errs}
	ctx, stop := f.signals(ctx)
	defer stop()

	cmd := root()
	cmd.SetArgs(args)
	code := f.Finish(cmd.ExecuteContext(ctx))
	if errors.Join(out.Close(), errs.Close()) != nil && code == hybridcore.ExitOK {
		code = hybridcore.ExitFailed // the answer did not arrive
	}
	return code
}

// signals cancels the context at the first SIGINT or SIGTERM and closes
// Hurry at the second. A reader that goes away is an error of the write, not
// the end of the process: a build must be recorded.
func (f *Frame) signals(ctx context.Context) (context.Context, func()) {
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
				close(f.Hurry)
			}
		}
	}()
	return ctx, func() { signal.Stop(caught); close(done); cancel() }
}

// Finish prints an error, if it was not printed yet, and returns the exit code.
func (f *Frame) Finish(err error) int {
	if f.Output == "json" {
		return checks.WriteErrorJSON(f.JSON, f.Err, err)
	}
	return checks.WriteError(f.Err, f.Style(f.Raw.Err), err)
}

// JSON prints one document on standard output. It is redacted as one, so that it
// can be read whatever a secret is.
func (f *Frame) JSON(render func(io.Writer) error) error {
	var text bytes.Buffer
	if err := render(&text); err != nil {
		return err
	}
	if _, err := f.Raw.Out.Write(f.Redactor.JSON(text.Bytes())); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}

// Style says what a stream can show: colours only on a terminal, and never
// with NO_COLOR or TERM=dumb.
func (f *Frame) Style(w io.Writer) checks.Style {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || f.Getenv("TERM") == "dumb" {
		return checks.Style{}
	}
	return checks.Style{Live: true, Color: !f.NoColor && f.Getenv("NO_COLOR") == ""}
}

// Getenv is the value of a variable, empty for none.
func (f *Frame) Getenv(name string) string {
	value, _ := hybridcore.LookupEnv(f.Environ, name)
	return value
}
