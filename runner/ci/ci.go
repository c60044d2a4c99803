// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-one-package-for-the-ci-system
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

// Package ci is the CI system around a job. Read says what an event of GitHub
// Actions or GitLab CI asks for, as a function of one snapshot; GitHub and
// GitLab write the job's answer in that system's own files and log commands.
package ci

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// System is a CI system.
type System string

// The systems that Detect knows.
const (
	GitHub System = "github"
	GitLab System = "gitlab"
)

// Input is the snapshot that a job is read from.
type Input struct {
	Getenv func(string) string
	// ReadFile reads a whole file and fails when it has more than limit bytes;
	// see the function of that name.
	ReadFile func(path string, limit int64) ([]byte, error)
	// Lookup answers what a comment's event does not say. It is asked at most
	// once, and only for a command of somebody with a part in the repository.
	// Without it comments are refused.
	Lookup func(Comment) (Facts, error)
	// Approval finds who has approved a commit that is not merged. It is asked at
	// most once, and only where the policy of the default branch lets such a
	// commit be worked on. Without it none is.
	Approval func(Unmerged) (Approval, error)
	Repo     Repository

	line string // of the workflow itself, which counts instead of the policy's
}

// Repository answers what git knows of the checkout: what is reviewed is read
// from commits, never from the files that are checked out.
type Repository struct {
	// Tip is the last commit of a branch, as it was fetched.
	Tip func(branch string) (string, error)
	// Policy is what the project file of a commit says; without one the default.
	Policy func(commit string) (Policy, error)
	// Contains says whether a commit is the tip or one of its ancestors.
	Contains func(tip, commit string) (bool, error)
}

// Job is what an event asks for.
type Job struct {
	System System
	Event  string // as the system names it, and its action if it has one
	// Requests are to be done in this order. Without any, Nothing says why.
	Requests []hybridcore.Request
	Nothing  string
	// Answer is for whoever asked in a comment: plain text of some lines that
	// quotes the comment, so it is rendered as code. Empty when the report is the answer.
	Answer string

	Commit string // that reports are about, a full object ID
	Base   string // commit that a change is compared with; empty for others

	Repository string // OWNER/NAME or the path of a project
	Ref        string // branch or tag, only to be shown
	Login      string // of who caused it, only to be shown
	RequestID  string // given by who dispatched the job, to find it again
	Ticket     []byte // of the bot's decision, to be decided on once more; empty for none
	ByBot      bool   // the bot dispatched the run: with Ticket, or as a child of the pipeline that has verified it
	// Trusted says that the code is of this repository. Whoever validates other
	// code holds it to a policy.
	Trusted bool
	// Unreviewed says that the event is about code that nobody has reviewed: a
	// change. Its job has no secrets and no state, and builds nothing.
	Unreviewed bool
	// Merged says that the default branch has the commit.
	Merged bool

	lines   []string // of Requests, each with its environment
	heads   []string // commits that the checkout may be at; the first is Commit
	origin  hybridcore.Origin
	reading reading
}

// reading is what is known while an event is read.
type reading struct {
	in     Input
	policy Policy // of the default branch; of a change's base
	branch string // the default one
	tip    string // its last commit
	tag    string // that the event is about; empty for none
	user   int64  // who asks
	login  string
	asked  time.Time // when, if the event says so
	rule   string    // why the requests are allowed
	// decided is what another job of the run has decided; nil: this one reads the event.
	decided *Decision
}

// Origin is where the job came from, also when it asks for nothing.
func (j Job) Origin() hybridcore.Origin { return j.origin }

// PolicyCommit is the commit of the default branch whose project file counts for
// the job; of a change that of its base.
func (j Job) PolicyCommit() string {
	switch {
	case j.reading.decided != nil:
		return j.reading.decided.Policy
	case j.Unreviewed:
		return j.Base
	default:
		return j.reading.tip
	}
}

// Detect says which CI system a process runs in. It gives a UsageError when
// that is none, or both.
func Detect(getenv func(string) string) (System, error) {
	github, gitlab := getenv("GITHUB_ACTIONS") == "true", getenv("GITLAB_CI") == "true"
	switch {
	case github && gitlab:
		return "", hybridcore.Usagef(
			"both GITHUB_ACTIONS and GITLAB_CI are true: unset the one of the system that this job does not run in")
	case github:
		return GitHub, nil
	case gitlab:
		return GitLab, nil
	default:
		return "", hybridcore.Usagef(
			"this is no CI job: neither GITHUB_ACTIONS nor GITLAB_CI is true; at a terminal use the verbs plan, validate and " +
				"build")
	}
}

// Read says what the event of this job asks for. It gives a UsageError for an
// event that is not formed as it should be, and a BlockedError for one that
// must not be obeyed.
func Read(in Input) (Job, error) {
	system, err := Detect(in.Getenv)
	if err != nil {
		return Job{}, err
	}
	from := fromGitHub
	if system == GitLab {
		from = fromGitLab
	}
	job, err := from(in)
	if err != nil {
		return Job{}, fmt.Errorf("reading the event of this job: %w", err)
	}
	return job, nil
}

// ReadFile reads a whole regular file of at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the event: %w", err)
	case !info.Mode().IsRegular():
		return nil, hybridcore.Usagef("%.200q is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the event: %w", err)
	case int64(len(data)) > limit:
		return nil, hybridcore.Usagef("%.200q has more than %d bytes", path, limit)
	}
	return data, nil
}

// review reads what is reviewed: the policy of the default branch, and whether
// the job's commit is merged into it.
func (j *Job) review(in Input, branch string) error {
	if branch == "" {
		return hybridcore.Blockedf("the event names no default branch, whose project file says what may be done")
	}
	tip, err := in.Repo.Tip(branch)
	if err != nil {
		return err
	}
	policy, err := in.Repo.Policy(tip)
	if err != nil {
		return fmt.Errorf("reading the project file of %s: %w", shown(branch), err)
	}
	j.reading.in, j.reading.branch, j.reading.tip, j.reading.policy = in, branch, tip, policy.only(in.line)
	if j.Merged, err = in.Repo.Contains(tip, j.Commit); err != nil {
		return err
	}
	j.reading.rule = "merged into " + shown(branch)
	return nil
}

// reviewBase reads what is reviewed of a change: the policy of the commit that
// it is to be merged into.
func (j *Job) reviewBase(in Input, base string) error {
	of := Job{}
	if err := of.pin(base); err != nil {
		return err
	}
	policy, err := in.Repo.Policy(of.Commit)
	if err != nil {
		return fmt.Errorf("reading the project file of the base, commit %.12s: %w", of.Commit, err)
	}
	j.Base, j.Unreviewed, j.reading.in, j.reading.policy = of.Commit, true, in, policy.only(in.line)
	return nil
}

// nothing ends the reading of an event that asks for nothing.
func (j Job) nothing(format string, args ...any) (Job, error) {
	j.Requests, j.lines, j.Nothing = nil, nil, fmt.Sprintf(format, args...)
	return j, nil
}

// pin sets the commit that the job is about, and others that its checkout may
// be at. Empty ones are left out.
func (j *Job) pin(commits ...string) error {
	j.heads = nil
	for _, id := range commits {
		switch {
		case id == "" || slices.Contains(j.heads, id):
		case !hybridcore.IsObjectID(id) || isZero(id):
			return hybridcore.Usagef("%.80q is not the full object ID of a commit", id)
		default:
			j.heads = append(j.heads, id)
		}
	}
	if len(j.heads) == 0 {
		return hybridcore.Usagef("the event names no commit")
	}
	j.Commit = j.heads[0]
	return nil
}

// repositoryRule holds for GitHub's OWNER/NAME and for GitLab's paths, whose
// groups may have groups.
var repositoryRule = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$`)

// isZero says whether an object ID is the one for "none".
func isZero(id string) bool { return strings.Trim(id, "0") == "" }

// maxRepository bounds the path of a repository, in bytes: GitHub's names have
// at most 140, GitLab's paths 255.
const maxRepository = 255

// maxShown bounds a foreign name that is shown, in characters. Git allows more
// for a ref; a reader needs no more to know it again.
const maxShown = 100

// shown makes a foreign value fit to be shown: one line, inert, short.
func shown(value string) string {
	value = value[:min(len(value), 16*maxShown)] // a megabyte is not worth its cleaning
	text := strings.Join(strings.Fields(Inert(value)), " ")
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown-1]) + "…"
	}
	return text
}

// repository checks the name of a repository.
func repository(name string) (string, error) {
	if len(name) > maxRepository || !repositoryRule.MatchString(name) || strings.Contains(name, "..") {
		return "", hybridcore.Usagef("%.80q is not the name of a repository", name)
	}
	return name, nil
}

// link returns a web address of the CI system, or nothing when it is none: it
// is only for people to follow.
func link(base string, path ...string) string {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" ||
		len(base) > 1000 {
		return ""
	}
	return shown(u.JoinPath(path...).String())
}
