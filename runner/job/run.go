// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:34:00Z
// Spec: openspec/specs/ci/spec.md#requirement-the-verb-ci
// Diagram: openspec/specs/ci/diagram.md#the-verb

// Package job does what the event of a CI job asks for, as far as it is this job's
// part, and reports there: it reads who asked and what was decided, verifies tickets
// of the bot, does the requests, and writes files, checks and comments.
package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/forge/forges"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/untrusted"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// Run does what the event of a CI job asks for, and reports there.
func (h *Host) Run(ctx context.Context, own Kind) error {
	if err := own.check(); err != nil {
		return err
	}
	var err error
	if h.forge, err = forges.Detect(h.Process.Getenv); err != nil {
		return err
	}
	if err := h.mask(); err != nil {
		return err
	}
	switch {
	case own.Report != "":
		return h.reportHeld(ctx, own.Report)
	case own.Decide:
		return h.decide(ctx)
	case own.Next:
		return goOn(ctx, h)
	}
	j, err := h.startJob(ctx, own)
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
		own := j.request(ctx, i, req)
		if i < len(j.Requests)-j.ahead { // what follows later must not keep from what is due
			code = worse(code, own)
		}
		if own == hybridcore.ExitCancelled {
			code = own
			break
		}
	}
	code = worse(code, j.fanOut(code))
	process.Contained(h.Screen.Err, func() { j.finish(context.WithoutCancel(ctx)) })
	if code != hybridcore.ExitOK {
		return hybridcore.Exit(code)
	}
	return nil
}

// startJob reads what this job is about, and leaves it what is its own.
func (h *Host) startJob(ctx context.Context, own Kind) (*job, error) {
	// First of all: a job that ends before it has written anything uploads nothing of the checkout either.
	if err := h.Process.EmptyArtifacts(ctx, h.Process.Top()); err != nil {
		return nil, err
	}
	project, err := h.Process.Project()
	if err != nil {
		return nil, err
	}
	read, err := h.readJob(ctx)
	if err == nil {
		read, err = read.Everywhere(declared(project))
	}
	if err != nil {
		return nil, err
	}
	reviewed, err := h.reviewedState(ctx, project.State, read)
	if err != nil {
		return nil, err
	}
	if reviewed != nil {
		h.Process.State, project.State = reviewed, *reviewed
	}
	all := read
	if own.Part {
		err = h.partOf(&read)
	}
	if err == nil {
		err = h.ticketed(ctx, own, &read)
	}
	if err == nil {
		if err = h.resolveLast(ctx, project, &read); err != nil {
			read, err = read.Refuse(err)
		}
	}
	if err == nil {
		err = own.share(&read)
	}
	var phase *phase
	if err == nil {
		phase, err = own.phase(h.Process.Getenv, all, read)
	}
	if err != nil {
		return nil, err
	}
	ahead, err := ahead(h.forge.Jobs, own, all)
	if err != nil {
		return nil, err
	}
	read.Requests = append(slices.Clone(read.Requests), ahead...)
	h.name(read)
	j := h.newJob(project, read)
	j.own, j.asked, j.ahead = own, all, len(ahead)
	if j.phase = phase; phase != nil {
		phase.job = j
	}
	return j, j.begin(ctx)
}

// declared are the environments of a project.
func declared(project config.Project) []string {
	all := []string{}
	for _, env := range project.Environments {
		all = append(all, env.Name)
	}
	return all
}

// name gives the run that the bot asked for the request's ID, so that its users
// can name it. A second attempt and a part of a run are others.
func (h *Host) name(job ci.Job) {
	if !job.ByBot || job.Place.Again {
		return
	}
	for i, req := range job.Requests {
		if req.Records() && req.Part == "" {
			job.Requests[i].ID = job.RequestID
		}
	}
}

// mask has the forge's runner mask each secret, before anything else is printed.
func (h *Host) mask() error {
	if h.forge.Jobs.Mask == nil {
		return nil
	}
	masked := map[string]bool{}
	for _, secret := range redact.FromEnviron(h.Process.Environ) {
		if masked[secret.Value] {
			continue
		}
		masked[secret.Value] = true
		if err := h.forge.Jobs.Mask(h.Raw, secret.Value); err != nil {
			return fmt.Errorf("masking secrets: %w", err)
		}
	}
	return nil
}

// request does one request as its verb does, with what it prints made inert,
// and returns the exit code.
func (j *job) request(ctx context.Context, n int, req hybridcore.Request) int {
	j.current = &answer{at: n, req: req}
	j.answers = append(j.answers, j.current)
	title := strings.Join(append([]string{"packer-hybrid", string(req.Action)}, req.Images...), " ")
	section := fmt.Sprintf("packer_hybrid_%d_%s", n+1, req.Action)
	j.try("the log", j.log.Open(section, title))
	text, err := j.log.Foreign()
	if err != nil { // as inert as without the commands around it
		j.try("the log", err)
		text = ci.NewLines(j.host.Screen.Out)
	}
	plain := &serial{to: text}
	shown := j.host.Process.Redactor.Writer(plain)
	p := j.host.Process
	p.Notes, p.Log, p.Color = shown, plain, false
	if j.Unreviewed {
		p.Environ, req.NoCache = withoutSecrets(p.Environ), true
	}
	switch {
	case j.Unreviewed:
		p.Reviewed = cmp.Or(j.Base, j.PolicyCommit())
	case !j.Merged:
		p.Reviewed = j.PolicyCommit()
	}
	if !j.Trusted {
		p.Policy = &untrusted.Policy{}
	}
	// A verdict that is remembered has no plan to report.
	req.NoCache = req.NoCache || req.InProcess()
	answer, err := j.do(ctx, p, req,
		process.Screen{Out: shown, Err: shown, Output: "text", Verbose: j.host.Screen.Verbose, Reporter: j})
	code := checks.WriteError(shown, checks.Style{}, err)
	process.Contained(j.host.Screen.Err, func() { j.answered(answer) })
	j.fault(err)
	j.current.whole = ended(j.host.Process, answer, code, err)
	j.try("the log", errors.Join(shown.Close(), text.Close(), j.log.Close(section)))
	return code
}

// do does a request, or the part of it that is this job's.
func (j *job) do(ctx context.Context, p process.Process, req hybridcore.Request, s process.Screen) (
	hybridcore.Answer, error,
) {
	if j.phase != nil && j.phase.own.does(req) {
		return j.phase.of(req).do(ctx, p, process.Named(req), s)
	}
	return p.Do(ctx, req, s)
}

// fault keeps an error for the reports, when the answer has no findings for it.
func (j *job) fault(err error) {
	var silent hybridcore.Exit
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
	secret := map[string]bool{stored.Variable: true}
	for _, s := range redact.FromEnviron(environ) {
		secret[s.Name] = true
	}
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return secret[name]
	})
}

// do does the phase in place of all of the verb.
func (p *phase) do(ctx context.Context, in process.Process, req hybridcore.Request, s process.Screen) (
	hybridcore.Answer, error,
) {
	if !p.here() {
		p.job.say("%s of this run is not about %s", req.Action, p.platform)
		return hybridcore.Answer{Request: &req}, nil
	}
	open := in.Open
	if p.views() || in.Policy != nil {
		open = in.View
	}
	r, done, err := open()
	if err != nil {
		return hybridcore.Answer{}, err
	}
	defer done()
	o := opened{process: in, runner: r, screen: s}
	switch {
	case req.Looks():
		return p.near(o).Drift(ctx, req)
	case p.name == "":
		return p.near(o).Reap(ctx, req)
	case p.name == phasePlan:
		r.Project.Connect = nil
		return p.plan(ctx, o, req)
	case p.name == phaseRecord:
		r.Project.Connect = nil
		return p.run(ctx, o, req, func(ctx context.Context, planned hybridcore.Plan) (hybridcore.Record, error) {
			files, err := o.release().Read(p.from, p.pin)
			if err != nil {
				return hybridcore.Record{}, err
			}
			return o.release().Record(ctx, planned, files)
		})
	default:
		return hybridcore.Answer{Request: &req}, p.reach(ctx, o)
	}
}
