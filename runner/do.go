// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T20:53:33Z
// Spec: openspec/specs/runner/spec.md#requirement-an-answer-is-a-value
// Diagram: openspec/specs/runner/diagram.md#an-answer

package runner

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Stage makes a record of a plan.
type Stage func(context.Context, hybridcore.Plan) (hybridcore.Record, error)

// Do does what a request asks for, and returns what it came to: also when it failed or was cancelled, as far as it
// came. The error says why there is no answer; an answer that is none of success is no error, see
// hybridcore.Answer.ExitCode. Reporter hears of the plan of a run and of its progress; nil tells nobody.
func (r *Runner) Do(ctx context.Context, req hybridcore.Request, reporter Reporter) (hybridcore.Answer, error) {
	answer, err := r.do(ctx, req, reporter)
	answer.Request = &req
	return answer, err
}

func (r *Runner) do(ctx context.Context, req hybridcore.Request, reporter Reporter) (hybridcore.Answer, error) {
	switch req.Action {
	case hybridcore.ActionStatus:
		return r.status(ctx, req)
	case hybridcore.ActionInspect:
		return r.inspect(ctx, req)
	case hybridcore.ActionReap:
		reaped, err := r.Reap(ctx, req)
		return only(err, hybridcore.Answer{Reaped: &reaped})
	case hybridcore.ActionParity:
		report, err := r.Parity(ctx, req)
		return only(err, hybridcore.Answer{Parity: &report})
	case hybridcore.ActionPlan:
		plan, err := r.Plan(ctx, req)
		return only(err, hybridcore.Answer{Plan: &plan})
	case hybridcore.ActionValidate:
		return r.validation(ctx, req, reporter)
	case hybridcore.ActionCollect:
		return r.Run(ctx, req, reporter, r.Collect)
	case hybridcore.ActionPublish:
		return r.Run(ctx, req, reporter, r.Publish)
	default:
		return r.Run(ctx, req, reporter, r.Build)
	}
}

// only is an answer, or an error.
func only(err error, answer hybridcore.Answer) (hybridcore.Answer, error) {
	if err != nil {
		return hybridcore.Answer{}, err
	}
	return answer, nil
}

// Run plans a request, tells the reporter of the plan, and lets a stage make the record.
func (r *Runner) Run(ctx context.Context, req hybridcore.Request, reporter Reporter, stage Stage) (
	hybridcore.Answer, error,
) {
	plan, err := r.Plan(ctx, req)
	if err == nil && req.With == hybridcore.WithPlugins {
		plan.Findings, err = r.Check(ctx, plan, nil)
	}
	if err != nil {
		return hybridcore.Answer{}, err
	}
	if r.Reporter = reporter; reporter == nil {
		r.Reporter = silent{}
	}
	r.Reporter.Event(hybridcore.Event{At: r.Now(), Kind: hybridcore.EventPlan, Plan: &plan})
	record, err := stage(ctx, plan)
	answer := hybridcore.Answer{Request: &req, Plan: &plan}
	if record.RunID == "" { // ended before it began
		return answer, err
	}
	answer.Record = &record
	answer.Parity, answer.Findings = r.changes(ctx, record)
	return answer, err
}

// silent is a reporter that tells nobody.
type silent struct{}

// Event implements Reporter.
func (silent) Event(hybridcore.Event) {}

// changes compares the images of a build with those before them. A part's is for who collects it.
func (r *Runner) changes(ctx context.Context, record hybridcore.Record) (*hybridcore.ParityReport, []hybridcore.Finding) {
	if !r.Compare || record.Request.Action != hybridcore.ActionBuild || record.Request.Part != "" || ctx.Err() != nil {
		return nil, nil
	}
	changes, err := r.Since(ctx, record)
	var findings []hybridcore.Finding
	if err != nil {
		findings = []hybridcore.Finding{{
			Kind: "parity", Severity: hybridcore.Warning,
			Message: "what changed in the images was not looked at: " + r.redact(err.Error()),
		}}
	}
	if len(changes)+len(record.Parity) == 0 {
		return nil, findings
	}
	return &hybridcore.ParityReport{
		Env: record.Request.Env, Parity: append([]hybridcore.Parity{}, record.Parity...), Changes: changes, Notes: []string{},
	}, findings
}

// validation answers the verb validate: from what an earlier one found when nothing changed since.
func (r *Runner) validation(ctx context.Context, req hybridcore.Request, reporter Reporter) (hybridcore.Answer, error) {
	remember := r.Remember
	if req.NoCache {
		remember = Memory{}
	}
	start := r.Now()
	env, err := r.Project.Environment(req.Env)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	key := r.VerdictKey(ctx, remember.Verdicts, req, remember.Program)
	if known, ok := remember.Verdicts.Recall(key); ok && (!req.InProcess() || !remember.Whole) {
		return known.answer(req, hybridcore.Checked{Env: env.Name, Targets: known.Targets, Took: r.Now().Sub(start)}), nil
	}
	var answer hybridcore.Answer
	found := Verdict{Key: key, Of: req.ID}
	switch {
	case req.InProcess():
		answer, err = r.inProcess(ctx, req)
		if answer.Checked != nil {
			answer.Checked.Took = r.Now().Sub(start)
		}
	case req.With == hybridcore.WithPlugins:
		answer, err = r.Run(ctx, req, reporter, r.Prepare)
	default:
		answer, err = r.Run(ctx, req, reporter, r.Validate)
	}
	_, form := errors.AsType[*hybridcore.FindingsError](err)
	if err != nil && !form || answer.Plan == nil {
		return answer, err
	}
	found.add(answer)
	found.At = r.Now().UTC()
	if r.VerdictKey(ctx, remember.Verdicts, req, remember.Program) == key { // nothing changed meanwhile
		remember.Verdicts.Remember(found, r.Redactor.String)
	}
	return answer, err
}

// inProcess validates inside this process.
func (r *Runner) inProcess(ctx context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
	plan, err := r.Plan(ctx, req)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	if plan.Findings, err = r.Check(ctx, plan, r.Policy); err != nil {
		return hybridcore.Answer{}, err
	}
	return hybridcore.Answer{
		Plan: &plan, Checked: &hybridcore.Checked{Env: plan.Request.Env, Targets: len(plan.Targets)},
	}, nil
}

// status answers the verb status from the state.
func (r *Runner) status(ctx context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
	snapshot, err := r.State.Read(ctx)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	leases, err := r.State.Leases(ctx)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	st := hybridcore.StatusReport{
		Env: req.Env, Serial: snapshot.Serial, Targets: snapshot.Targets,
		Running: []hybridcore.Lease{}, Dead: []hybridcore.Lease{}, Releasing: snapshot.Releasing,
	}
	maps.DeleteFunc(st.Releasing, func(key string, intent hybridcore.ReleaseIntent) bool {
		env, _, _ := strings.Cut(key, "/")
		return !slices.ContainsFunc(slices.Collect(maps.Keys(intent.Builds)), func(target string) bool {
			return req.Wants(env + "/" + target)
		})
	})
	maps.DeleteFunc(st.Targets, func(key string, _ hybridcore.Current) bool { return !req.Wants(key) })
	for _, l := range leases {
		if !req.Wants(l.Key) {
			continue
		}
		st.Dead = append(st.Dead, l.Ended()...)
		if l.Live {
			l.Past = nil // they are among the dead
			st.Running = append(st.Running, l.Lease)
		}
	}
	return hybridcore.Answer{Status: &st}, nil
}

// inspect answers with the record of a run, the last one if none is named.
func (r *Runner) inspect(ctx context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
	runs, err := r.State.Records(ctx)
	if err != nil {
		return hybridcore.Answer{}, err
	}
	if len(runs) == 0 {
		return hybridcore.Answer{}, hybridcore.Usagef("no run is recorded in %s yet", r.Project.State.Path)
	}
	last := runs[len(runs)-1]
	id := cmp.Or(req.Record, last)
	if err := hybridcore.CheckName("run", id); err != nil {
		return hybridcore.Answer{}, err
	}
	if !slices.Contains(runs, id) {
		return hybridcore.Answer{}, hybridcore.Usagef("no run %q is recorded%s; the last one is %s", id,
			hybridcore.DidYouMean(id, runs), last)
	}
	record, err := r.State.Record(ctx, id)
	return only(err, hybridcore.Answer{Record: &record})
}
