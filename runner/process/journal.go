// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:11:14Z
// Spec: openspec/specs/logs/spec.md#requirement-what-a-run-did
// Diagram: openspec/specs/logs/diagram.md#sinks

package process

import (
	"log/slog"
	"os"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// journal writes what a run does into the log of the project.
type journal struct {
	log   *slog.Logger
	began time.Time
}

// begin writes that a request is worked on: by whom, and for what.
func begin(log *slog.Logger, version string, req hybridcore.Request) journal {
	j := journal{log: log.With("run", req.ID, "verb", string(req.Action)), began: time.Now()}
	host, _ := os.Hostname() // an empty name says that there is none
	j.log.Info("request", "env", req.Env, "images", req.Images, "platforms", req.Platforms, "origin", req.Origin.Kind,
		"actor", req.Origin.Actor, "version", version, "pid", os.Getpid(), "host", host)
	return j
}

// event writes what happened. Lines of a target's output are in its own log.
func (j journal) event(e hybridcore.Event) {
	switch e.Kind {
	case hybridcore.EventOutput, hybridcore.EventError:
	case hybridcore.EventPlan:
		j.plan(*e.Plan)
	default:
		j.log.Info("progress", "kind", string(e.Kind), "target", e.Target, "text", e.Text,
			"elapsed_ms", e.Elapsed.Milliseconds())
	}
}

func (j journal) plan(p hybridcore.Plan) {
	j.log.Info("plan", "env", p.Request.Env, "commit", p.Commit, "targets", len(p.Targets), "to_build", len(p.Pending()),
		"versions", p.Versions)
	for _, t := range p.Pending() {
		reasons := make([]string, 0, len(t.Reasons))
		for _, r := range t.Reasons {
			reasons = append(reasons, r.Text)
		}
		j.log.Info("to build", "target", t.Target.Name(), "digest", t.Target.Digest, "because", reasons)
	}
	j.findings(p.Findings)
}

func (j journal) findings(all []hybridcore.Finding) {
	for _, f := range all {
		if f.Severity == hybridcore.Info {
			continue
		}
		j.log.Info("finding", "severity", string(f.Severity), "blocking", f.Blocking, "kind", f.Kind, "rule", f.Rule,
			"message", f.Message, "file", f.File, "line", f.Line)
	}
}

// end writes what the request came to.
func (j journal) end(answer hybridcore.Answer, failure error) {
	code := answer.ExitCode()
	if failure != nil {
		code = hybridcore.ExitCode(failure)
		j.log.Info("failed", "cause", failure)
	}
	if answer.Record != nil {
		for _, res := range answer.Record.Results {
			told := []any{
				"target", res.Target, "status", string(res.Status), "artifact", res.Artifact.Name(), "log", res.Log,
				"took_ms", res.Duration.Milliseconds(),
			}
			if res.Failure != nil {
				told = append(told, "step", res.Failure.Step, "cause", res.Failure.Message)
			}
			j.log.Info("result", told...)
		}
	}
	j.log.Info("end", "exit_code", code, "took_ms", time.Since(j.began).Milliseconds())
}
