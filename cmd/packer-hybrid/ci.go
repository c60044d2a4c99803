// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:34:00Z
// Spec: openspec/specs/ci/spec.md#requirement-the-verb-ci
// Diagram: openspec/specs/ci/diagram.md#the-verb

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// ciCmd does what the event of a CI job asks for.
func (a *app) ciCmd() *cobra.Command {
	var own stage
	cmd := &cobra.Command{
		Use: "ci", Short: "Do what the event of this CI job asks for, and report there",
		Long: ciLong, Example: ciExample,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.Output != "text" {
				return hybridcore.Usagef("ci writes JSON to artifacts/; leave --output out")
			}
			if err := own.check(); err != nil {
				return err
			}
			return a.ci(cmd.Context(), own)
		},
	}
	own.bind(cmd)
	return cmd
}

// ci reads the event, does its requests and reports.
func (a *app) ci(ctx context.Context, own stage) error {
	system, err := ci.Detect(a.Getenv)
	if err != nil {
		return err
	}
	if system == ci.GitHub {
		if err := a.mask(); err != nil {
			return err
		}
	}
	switch {
	case own.report != "":
		return a.reportHeld(ctx, own.report)
	case own.decide:
		return a.decide(ctx)
	}
	j, err := a.startJob(ctx, own)
	if err != nil {
		return err
	}
	if len(j.Requests) == 0 {
		j.nothing(context.WithoutCancel(ctx))
	}
	code := hybridcore.ExitOK
	for i, req := range j.Requests {
		if code != hybridcore.ExitOK && req.Records() {
			j.say("not started: %s, because what came before it ended with exit code %d", req.Action, code)
			break
		}
		code = worse(code, j.request(ctx, i, req))
		if code == hybridcore.ExitCancelled {
			break
		}
	}
	code = worse(code, j.fanOut(code))
	a.contained(func() { j.finish(context.WithoutCancel(ctx)) })
	if code != hybridcore.ExitOK {
		return cli.Exit(code)
	}
	return nil
}

// startJob reads what this job is about, and leaves it what is its own.
func (a *app) startJob(ctx context.Context, own stage) (*job, error) {
	// First of all: a job that ends before it has written anything uploads nothing of the checkout either.
	if err := a.emptyArtifacts(ctx, a.top()); err != nil {
		return nil, err
	}
	project, err := a.project()
	if err != nil {
		return nil, err
	}
	read, err := a.readJob(ctx)
	if err != nil {
		return nil, err
	}
	all := read
	if own.part {
		err = a.partOf(&read)
	}
	if err == nil {
		err = a.ticketed(ctx, own, &read)
	}
	if err == nil {
		if err = resolveLast(ctx, project, &read); err != nil {
			read, err = read.Refuse(err)
		}
	}
	if err == nil {
		err = own.share(&read)
	}
	if err == nil {
		a.phase, err = own.phase(a.Getenv, all, read)
	}
	if err != nil {
		return nil, err
	}
	a.name(read)
	j := a.newJob(project, read)
	j.own, j.asked = own, all
	if a.phase != nil {
		a.phase.job = j
	}
	return j, j.begin(ctx)
}

// name gives the run that the bot asked for the request's ID, so that its users
// can name it. A second attempt and a part of a run are others.
func (a *app) name(job ci.Job) {
	if !job.ByBot || cmp.Or(a.Getenv("GITHUB_RUN_ATTEMPT"), "1") != "1" {
		return
	}
	for i, req := range job.Requests {
		if req.Records() && req.Part == "" {
			job.Requests[i].ID = job.RequestID
		}
	}
}

// mask has GitHub's runner mask each secret, before anything else is printed.
func (a *app) mask() error {
	masked := map[string]bool{}
	for _, secret := range logs.FromEnviron(a.Environ) {
		if masked[secret.Value] {
			continue
		}
		masked[secret.Value] = true
		if err := ci.Mask(a.Raw.Out, secret.Value); err != nil {
			return fmt.Errorf("masking secrets: %w", err)
		}
	}
	return nil
}

// worse is the exit code that matters of two.
func worse(one, other int) int {
	order := []int{
		hybridcore.ExitOK, hybridcore.ExitChanges, hybridcore.ExitFailed, hybridcore.ExitUsage, hybridcore.ExitBlocked, hybridcore.ExitCancelled,
	}
	return order[max(slices.Index(order, one), slices.Index(order, other))]
}

// request does one request as its verb does, with what it prints made inert,
// and returns the exit code.
func (j *job) request(ctx context.Context, n int, req hybridcore.Request) int {
	j.current = &answer{at: n, req: req}
	j.answers = append(j.answers, j.current)
	title := strings.Join(append([]string{"packer-hybrid", string(req.Action)}, req.Images...), " ")
	j.try("the log", j.open(title))
	text, err := j.foreign()
	if err != nil { // as inert as without the commands around it
		j.try("the log", err)
		text = ci.NewLines(j.log)
	}
	sub := *j.app
	plain := &serial{to: text}
	shown := j.app.Redactor.Writer(plain)
	sub.Raw, sub.Streams = cli.Streams{Out: plain, Err: plain}, cli.Streams{Out: shown, Err: shown}
	sub.reporter = j
	if j.Unreviewed {
		sub.Environ, req.NoCache = withoutSecrets(sub.Environ), true
	}
	if !j.Trusted {
		sub.policy = &validate.Policy{}
	}
	// A verdict that is remembered has no plan to report.
	req.NoCache = req.NoCache || req.InProcess()
	answer, err := sub.do(ctx, req)
	code := sub.Finish(err)
	j.app.contained(func() { j.answered(answer) })
	j.fault(err)
	j.current.whole = j.app.ended(answer, code, err)
	j.try("the log", errors.Join(shown.Close(), text.Close(), j.close()))
	return code
}

// fault keeps an error for the reports, when the answer has no findings for it.
func (j *job) fault(err error) {
	var silent cli.Exit
	var findings *hybridcore.FindingsError
	switch {
	case err == nil || errors.As(err, &silent):
	case errors.As(err, &findings):
		if j.current.plan == nil {
			j.current.extra = findings.Findings
		}
	default:
		j.current.extra = []hybridcore.Finding{{
			Kind: "request", Message: err.Error(), Severity: hybridcore.Error, Blocking: true,
		}}
	}
}

// withoutSecrets is an environment for code that nobody has reviewed: it has no
// state either.
func withoutSecrets(environ []string) []string {
	secret := map[string]bool{stateVariable: true}
	for _, s := range logs.FromEnviron(environ) {
		secret[s.Name] = true
	}
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return secret[name]
	})
}

// serial is a writer for several goroutines.
type serial struct {
	mu sync.Mutex
	to io.Writer
}

// Write implements io.Writer.
func (l *serial) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(text) //nolint:wrapcheck // as if it were the writer below
}

// inside is the path of the project in its repository, slash-separated; empty
// at its top.
func inside(top, root string) string {
	if top == "" {
		return ""
	}
	if real, err := filepath.EvalSymlinks(top); err == nil {
		top = real
	}
	if real, err := filepath.EvalSymlinks(root); err == nil {
		root = real
	}
	rel, err := filepath.Rel(top, root)
	if err != nil || rel == "." || !filepath.IsLocal(rel) {
		return ""
	}
	return filepath.ToSlash(rel)
}

// reporting bounds the time that reports may take at the end.
const reporting = 2 * time.Minute

// say prints a line of our own to the log.
func (j *job) say(format string, args ...any) {
	_, _ = fmt.Fprintf(j.app.Out, "%s\n", ci.Inert(fmt.Sprintf(format, args...)))
}

// try keeps what went wrong with a report, to be said at the end.
func (j *job) try(what string, err error) {
	if err != nil {
		j.problems = append(j.problems, what+": "+err.Error())
	}
}
