// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:45:29Z
// Spec: openspec/specs/repository/spec.md#requirement-forges
// Diagram: openspec/specs/repository/diagram.md#layers

package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// Getenv gives the value of a variable of the environment, empty for none.
type Getenv func(name string) string

// Number is a variable with a number; 0 where it has none.
func (g Getenv) Number(name string) int64 {
	n, err := strconv.ParseInt(g(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Jobs is the forge as one of its jobs sees it.
type Jobs struct {
	Sign      string // variable that is "true" in each, and nowhere else
	Workspace string // variable with the folder of the checkout
	// Clone is the job's repository, and what git shows to its host; nil: git is not told.
	Clone  func(Getenv) Clone
	Event  func(ci.Input) (ci.Event, error)
	Place  func(Getenv) ci.Place
	Ticket func(ci.Input) (string, error) // of the bot, as the event brings it; nil: it brings none

	Log    func(Output) Log    // nil: the log has no folds, and obeys nothing but what text.JobLog takes away
	Values func(Output) Values // nil: a step gives no values to later ones
	Mask   func(raw io.Writer, secret string) error
	Files  func(Results) []File
	// Uploads says that a job uploads the folder that its value upload names, and not
	// artifacts/ of the project.
	Uploads bool

	// Decide are the values of a job that only decides; nil: the one that plans does.
	Decide func(ci.Decision, ci.Runners) ([]Value, error)
	// Together says that one run has the jobs of all environments that a merge is built
	// for; else each has a run of its own.
	Together bool
	// GoOn starts the run for the next environment, and returns its address; nil where
	// one run has the jobs of all.
	GoOn func(context.Context, Getenv, Onward) (string, error)
	// Unnamed says which platforms have no runners of their own, for a person.
	Unnamed func(ci.Runners, []hybridcore.Platform) string
	// Share are the jobs of other machines, in the forge's own form.
	Share func(Shares) (string, error)
	// Ask is what only the forge knows of changes and people; nil: comments ask for nothing.
	Ask func(post.Access, string) (Asker, error)
}

// Onward is the run that follows another one, once that was approved.
type Onward struct {
	Request string // ID
	Line    string // of the shared grammar
	Branch  string // the default one
	Commit  string
}

// Clone is a repository as git reaches it over https.
type Clone struct{ Repository, User, Token string }

// Asker answers what an event does not say, for one repository.
type Asker interface {
	Facts(ctx context.Context, c ci.Comment) (ci.Facts, error)
	Approval(ctx context.Context, u ci.Unmerged) (ci.Approval, error)
}

// Output is where a job of a forge writes.
type Output struct {
	Getenv Getenv
	Log    io.Writer // standard output, redacted
	Root   string    // the project's folder in the repository, slash-separated; empty for its top
}

// Log is the log of a job in the forge's own form.
type Log interface {
	// Open begins a folded part; name is a word that Close gets too. Parts do not nest.
	Open(name, title string) error
	Close(name string) error
	// Foreign is a writer for what others print, in which nothing is a command.
	Foreign() (io.WriteCloser, error)
}

// Values are what a step gives to the forge and to later steps.
type Values interface {
	Output(name, value string) error
	// Summary adds Markdown to the page of the run.
	Summary(markdown string) error
	// Annotate shows findings at their lines.
	Annotate(findings []hybridcore.Finding) error
}

// LogOf is the log of a job: that of the forge, or lines of which none is a command.
func (j Jobs) LogOf(o Output) Log {
	if j.Log == nil {
		return plainLog{o.Log}
	}
	return j.Log(o)
}

// ValuesOf is what takes the values of a step: nothing, where a forge takes none.
func (j Jobs) ValuesOf(o Output) Values {
	if j.Values == nil {
		return noValues{}
	}
	return j.Values(o)
}

// plainLog is a log without folds.
type plainLog struct{ to io.Writer }

// Open implements Log.
func (l plainLog) Open(_, title string) error {
	if _, err := io.WriteString(l.to, ci.Shown(title)+"\n"); err != nil {
		return fmt.Errorf("writing the log: %w", err)
	}
	return nil
}

// Close implements Log.
func (plainLog) Close(string) error { return nil }

// Foreign implements Log.
func (l plainLog) Foreign() (io.WriteCloser, error) { return ci.NewLines(l.to), nil }

// noValues takes what no step gives.
type noValues struct{}

// Output implements Values.
func (noValues) Output(string, string) error { return nil }

// Summary implements Values.
func (noValues) Summary(string) error { return nil }

// Annotate implements Values.
func (noValues) Annotate([]hybridcore.Finding) error { return nil }

// Value is one value of a step for later jobs.
type Value struct{ Name, Value string }

// Results are what a job came to, as its files show it.
type Results struct {
	Prefix   string // path of the project in the repository
	Version  string // of this program
	Findings []hybridcore.Finding
	Records  []hybridcore.Record // a validation as one, too
	Paths    map[string]string   // of the answer, the plan and so on in the repository, by these names
	Shared   string              // jobs of other machines; empty for none
}

// File is a file that a forge reads of a job.
type File struct {
	Name   string // below artifacts/
	Output string // value that has its path; empty for none
	Write  func(io.Writer) error
}

// Shares is the work that a job leaves to others.
type Shares struct {
	Plan    *hybridcore.Plan // of the build; nil: nothing is built
	Runners ci.Runners
	// Next are the plans for the environments that follow once somebody has approved it,
	// where the forge has one run for all.
	Next []hybridcore.Plan
	// Decision has what is published and reaped besides; the zero one is of a
	// plan at a terminal.
	Decision ci.Decision
}

// MaxFollowing bounds the targets of an environment that follows: GitLab has one job wait
// for at most 50 others, and that one must not begin before them.
const MaxFollowing = 50

// Sharable refuses a plan whose digests other machines cannot have. Without versions nothing is known to be unchanged
// either: a plan of such targets is no plan of nothing.
func Sharable(plan hybridcore.Plan) error {
	if plan.Base != nil {
		return hybridcore.Usagef("the difference to a commit says nothing of what is built: leave --base out for a matrix")
	}
	for _, t := range plan.Targets {
		if t.Target.Inputs["packer"] == "" {
			return hybridcore.Blockedf("%s has no digest by which its job could tell that it builds what was planned, because "+
				"Packer or its plugin is not here: install on this runner Packer and the Packer plugins that the runner of "+
				"%s has", t.Target.Name(), t.Target.Platform)
		}
	}
	return nil
}

// Here says whether a process is one of them.
func (j Jobs) Here(getenv Getenv) bool { return getenv(j.Sign) == "true" }

// Read says what the event of this job asks for.
func (j Jobs) Read(in ci.Input) (ci.Job, error) {
	event, err := j.Event(in)
	var job ci.Job
	if err == nil {
		job, err = ci.Read(in, event)
	}
	if err != nil {
		return ci.Job{}, fmt.Errorf("reading the event of this job: %w", err)
	}
	return job, nil
}

// Decided is the job that does what another one of its run has decided.
func (j Jobs) Decided(d ci.Decision, in ci.Input) (ci.Job, error) {
	return d.Job(j.Place(in.Getenv), func() (string, error) {
		if j.Ticket == nil {
			return "", nil
		}
		return j.Ticket(in)
	})
}

// UnsureError says that a forge does not tell what it was asked for.
type UnsureError struct{ Err error }

// Error implements error.
func (e *UnsureError) Error() string { return e.Err.Error() }

func (e *UnsureError) Unwrap() error { return e.Err }

// Unsure says whether an error means that the forge does not tell.
func Unsure(err error) bool {
	_, is := errors.AsType[*UnsureError](err)
	return is
}
