// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/ci/spec.md#requirement-the-verb-ci
// Diagram: openspec/specs/ci/diagram.md#the-verb

package job

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Host is the process that a job runs in.
type Host struct {
	Process process.Process
	Screen  process.Screen
	Raw     io.Writer     // standard output as it is: GitHub's runner reads there what it is to mask
	Posting []post.Option // how reports are sent, beside the redaction

	forge forge.Forge // that this process is a job of; the zero one for none
	local *localRun   // the bot's run on this machine that this process does; nil for none
}

// say prints a line of our own to the log.
func (j *job) say(format string, args ...any) {
	_, _ = fmt.Fprintf(j.host.Screen.Out, "%s\n", text.JobLog(fmt.Sprintf(format, args...)))
}

// try keeps what went wrong with a report, to be said at the end.
func (j *job) try(what string, err error) {
	if err != nil {
		j.problems = append(j.problems, what+": "+err.Error())
	}
}

// Reporting bounds the time that reports may take at the end.
const Reporting = 2 * time.Minute

// worse is the exit code that matters of two.
func worse(one, other int) int {
	order := []int{
		hybridcore.ExitOK, hybridcore.ExitChanges, hybridcore.ExitFailed, hybridcore.ExitUsage, hybridcore.ExitBlocked,
		hybridcore.ExitCancelled,
	}
	return order[max(slices.Index(order, one), slices.Index(order, other))]
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

// job is one CI job with what its requests came to.
type job struct {
	ci.Job
	host    *Host
	project config.Project
	prefix  string // path of the project in the repository
	log     forge.Log
	values  forge.Values
	own     Kind
	phase   *phase // nil: this job does all of its requests
	asked   ci.Job // all that the event asks for
	ahead   int    // the last requests: plans for the environments that follow

	fanned   string  // the jobs that build what was planned: a matrix, or a pipeline
	current  *answer // of the request that runs
	answers  []*answer
	problems []string // reports that failed
}

// answer is what one request came to.
type answer struct {
	at     int // place among the requests
	req    hybridcore.Request
	plan   *hybridcore.Plan
	record *hybridcore.Record
	parity *hybridcore.ParityReport
	drift  *hybridcore.DriftReport
	whole  hybridcore.Answer
	extra  []hybridcore.Finding // that no plan holds
	poster *post.Poster         // nil for none
	beside []*answer            // plans of the same change for other environments, which this one's report has too
}

func (h *Host) newJob(project config.Project, read ci.Job) *job {
	jobs, getenv := h.forge.Jobs, h.Process.Getenv
	out := forge.Output{Getenv: getenv, Log: h.Screen.Out, Root: inside(getenv(jobs.Workspace), project.Root)}
	return &job{
		Job: read, host: h, project: project, prefix: out.Root, log: jobs.LogOf(out), values: jobs.ValuesOf(out),
	}
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

// Kind says which of a run's jobs this one is. The zero value does all that the
// event asks for.
type Kind struct {
	Decide  bool     // what is to be done, and nothing of it
	Plan    bool     // what needs the state only; the build is planned, for the output matrix or the child pipeline
	Part    bool     // one target of the build
	Collect []string // the build, from the folders of its parts
	Release string   // the phase of a release: plan, prepare, mark or record
	Reap    bool     // what dead runs left on one platform, or with from the report of it
	Drift   bool     // what is on one platform, or with from what is not as it was recorded
	From    string   // folder of what other jobs handed over of a release, of a reap or of a look
	Next    bool     // the next environment of a merge, in a run of its own
	Hold    bool     // the report is kept in artifacts/report, to be sent by another job
	Report  string   // folder of a report that was kept
}

// phase is what this job does of a verb that several jobs do; of says of which request.
type phase struct {
	own      Kind
	name     string // of the release; empty for a reap and a look
	from     string // folder of what other jobs handed over
	pin      project.JobPin
	platform hybridcore.Platform   // that the job reaches; empty for none
	all      []hybridcore.Platform // that the jobs of the request reach
	decided  []hybridcore.Platform // that the run's decision is about
	job      *job
}

// localRun is a run that the bot has started on this machine, of the project in a
// repository.
type localRun struct {
	run        *dispatch.LocalRun
	repository string
}

// verification is a ticket that the job has, narrowed to its targets.
type verification struct {
	host    *Host
	project config.Project
	ticket  policy.Ticket
	run     ticketRun
}

// ticketRun is the run that this job is of, as tickets name it.
type ticketRun struct {
	system string
	id     string            // of the run
	mine   []policy.Audience // that it may be addressed as
}

// said is what an error says; nil for one that only has an exit code.
func said(p process.Process, err error) error {
	if _, silent := errors.AsType[hybridcore.Exit](err); silent || err == nil {
		return nil
	}
	return errors.New(p.Redactor.Clean(err.Error()))
}

// ended is an answer with its end.
func ended(p process.Process, answer hybridcore.Answer, code int, err error) hybridcore.Answer {
	answer.Exit = &code
	if text := said(p, err); text != nil {
		answer.Error = text.Error()
	}
	return answer
}

// faulty writes a line about a fault to the job's log.
func (h *Host) faulty(line string) { process.Faulty(h.Screen.Err, line) }

// access is how the forge takes reports; without a token for a forge that takes none.
func (h *Host) access() post.Access {
	if h.forge.Reports.Access == nil {
		return post.Access{}
	}
	return h.forge.Reports.Access(h.Process.Getenv)
}
