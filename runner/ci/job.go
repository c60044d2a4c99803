// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/ci/spec.md#requirement-one-package-for-the-ci-system
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
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
	// Parents are those of a commit; none where the clone does not have it. Nil: nobody
	// can say.
	Parents func(commit string) ([]string, error)
}

// Job is what an event asks for.
type Job struct {
	Place Place
	// Requests are to be done in this order. Without any, Nothing says why.
	Requests []hybridcore.Request
	Nothing  string
	// Answer is for whoever asked in a comment: plain text of some lines that
	// quotes the comment, so it is rendered as code. Empty when the report is the answer.
	Answer string

	Commit string // that reports are about, a full object ID
	Base   string // commit that a change is compared with; empty for others

	RequestID string // given by who dispatched the job, to find it again
	Ticket    []byte // of the bot's decision, to be decided on once more; empty for none
	ByBot     bool   // the bot dispatched the run: with Ticket, or as a child of the pipeline that has verified it
	// Trusted says that the code is of this repository. Whoever validates other
	// code holds it to a policy.
	Trusted bool
	// Unreviewed says that the event is about code that nobody has reviewed: a
	// change. Its job has no secrets and no state, and builds nothing.
	Unreviewed bool
	// Merged says that the default branch has the commit.
	Merged bool
	// Spread says of each request whether its line names no environment: of a change it
	// is for all of them, see Everywhere.
	Spread []bool
	// Gone are environments of the base that a change takes away: it is not planned
	// for them.
	Gone []string

	lines   []string // of Requests, each with its environment
	heads   []string // commits that the checkout may be at; the first is Commit
	reading reading
}

// reading is what is known while an event is read.
type reading struct {
	in     Input
	event  Event
	policy Policy // of the default branch; of a change's base
	tip    string // last commit of the default branch
	rule   string // why the requests are allowed
	// decided is what another job of the run has decided; nil: this one reads the event.
	decided *Decision
}

// nothing ends the reading of an event that asks for nothing.
func (j Job) nothing(format string, args ...any) (Job, error) {
	j.Requests, j.lines, j.Nothing = nil, nil, fmt.Sprintf(format, args...)
	return j, nil
}

var errNoCommit = hybridcore.Usagef("the event names no commit")

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
		return errNoCommit
	}
	j.Commit = j.heads[0]
	return nil
}

// Unmerged is a commit that somebody wants to be worked on before it is merged:
// what Approval is asked about.
type Unmerged struct {
	Repository string // OWNER/NAME
	Commit     string
	Change     int64  // number of the pull request; 0: that of the commit is to be found
	User       int64  // who asks
	Login      string // of the same
	// Asked is when: a later review is of what they could not know. Zero where the
	// event does not say.
	Asked time.Time
}

// Approval is the answer.
type Approval struct {
	By     string // login of who approved the commit; empty: nobody
	Change string // number of the pull request that was approved
}

// Comment is a command that somebody wrote on a change: what Lookup is asked about.
type Comment struct {
	Repository string // OWNER/NAME
	Change     int64  // number of the pull request
	User       int64  // who wrote it, by the identifier that does not change
	Login      string // of the same, as the permission is asked for
}

// Facts answer a Comment. They must be read when the command is, by the API of
// the platform.
type Facts struct {
	User           int64  // whose permission it is, as the API says: a login may have a new owner
	Permission     string // of the user: admin, maintain, write, triage, read or none
	Open           bool   // whether the change is
	Head           string // full object ID of the change's head
	HeadRepository string // OWNER/NAME; empty when it was deleted
	Base           string // full object ID of the target branch's tip
	LastRun        string // the last run of this change, for retry, or LastRun; empty when there is none
	LastEnv        string // the environment of LastRun, if it is known
}

// Runners are labels of runners, in GitLab tags, by platform. A platform without
// any gets DefaultRunner at GitHub, and no tags at GitLab.
type Runners map[hybridcore.Platform][]string

// Refuse makes an answer of what was wrong with a comment; other events fail.
func (j Job) Refuse(err error) (Job, error) {
	code := hybridcore.ExitCode(err)
	if j.Place.Origin.Kind != "comment" || code != hybridcore.ExitBlocked && code != hybridcore.ExitUsage {
		return Job{}, err
	}
	return j.answer("%s", shownLines(err.Error()))
}

// Policy is what the project says about events: lines of the shared grammar
// for each kind. A nil list takes the default, an empty one means nothing.
type Policy struct {
	Change   []string // a pull or merge request is new or has new commits
	Merge    []string // a push to the default branch
	Tag      []string
	Schedule []string
	// DefaultEnv is meant by a line that names no environment.
	DefaultEnv string
	// Environments are those that are declared.
	Environments []Environment
	// Unmerged are the environments that a commit may be built for that is not
	// merged, but approved.
	Unmerged []string
	// ChangeEnvironments are those that a change is planned for where its line names
	// none; nil: all.
	ChangeEnvironments []string
	// MergeEnvironments are those that a merge is built for, one after the other; none:
	// the default one.
	MergeEnvironments []string
	Runners           Runners
	Place             string // of the block ci, FILE:LINE; empty without one

	input string // the action's own command line, which counts instead of the others
}

// maxEnvironments bounds those that one change is planned for, or a merge built for.
const maxEnvironments = 20

// Environment is one that images are built for.
type Environment struct {
	Name      string
	Prod      bool // only merged code is built for it
	Platforms []hybridcore.Platform
}

// review reads what is reviewed: the policy of the default branch, and whether
// the job's commit is merged into it.
func (j *Job) review() error {
	branch, repo := j.reading.event.Branch, j.reading.in.Repo
	if branch == "" {
		return hybridcore.Blockedf("the event names no default branch, whose project file says what may be done")
	}
	tip, err := repo.Tip(branch)
	if err != nil {
		return err
	}
	policy, err := repo.Policy(tip)
	if err != nil {
		return fmt.Errorf("reading the project file of %s: %w", Shown(branch), err)
	}
	j.reading.tip, j.reading.policy = tip, policy.only(j.reading.event.Line)
	if j.Merged, err = repo.Contains(tip, j.Commit); err != nil {
		return err
	}
	j.reading.rule = "merged into " + Shown(branch)
	return nil
}

// reviewBase reads what is reviewed of a change: the policy of the commit that
// it is to be merged into.
func (j *Job) reviewBase() error {
	base, err := j.mergedWith()
	if err != nil {
		return err
	}
	of := Job{}
	if err := of.pin(base); err != nil {
		return err
	}
	policy, err := j.reading.in.Repo.Policy(of.Commit)
	if err != nil {
		return fmt.Errorf("reading the project file of the base, commit %.12s: %w", of.Commit, err)
	}
	j.Base, j.Unreviewed, j.reading.policy = of.Commit, true, policy.only(j.reading.event.Line)
	return nil
}

// mergedWith is the commit that a change is compared with: what the CI system has merged
// it with, if it has, and else what the event names, which may be hours older. By that
// one what others have merged meanwhile would look like the change's own.
func (j *Job) mergedWith() (string, error) {
	base, parents := j.reading.event.Base, j.reading.in.Repo.Parents
	if parents == nil {
		return base, nil
	}
	for _, id := range j.heads[1:] {
		of, err := parents(id)
		if err != nil {
			return "", err
		}
		if len(of) == 2 && of[1] == j.Commit {
			base = of[0]
		}
	}
	return base, nil
}

// repository checks the name of a repository.
func repository(name string) (string, error) {
	if len(name) > maxRepository || !repositoryRule.MatchString(name) || strings.Contains(name, "..") {
		return "", hybridcore.Usagef("%.80q is not the name of a repository", name)
	}
	return name, nil
}

// maxRepository bounds the path of a repository, in bytes: GitHub's names have
// at most 140, GitLab's paths 255.
const maxRepository = 255

// repositoryRule holds for GitHub's OWNER/NAME and for GitLab's paths, whose
// groups may have groups.
var repositoryRule = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$`)

func (j Job) answer(format string, args ...any) (Job, error) {
	j.Answer = fmt.Sprintf(format, args...)
	return j.nothing("the comment was answered")
}

// Decision is what one event leads to: all that the later jobs of its run do
// comes from it. It is made from the event and the default branch only.
type Decision struct {
	Run       string                `json:"run"`    // that it is for: GITHUB_RUN_ID or CI_PIPELINE_ID
	Until     time.Time             `json:"until"`  // from then on no job of the run begins
	SHA       string                `json:"sha"`    // commit to work on
	Policy    string                `json:"policy"` // commit of the default branch by whose project file this is
	Merged    bool                  `json:"merged"`
	Env       string                `json:"env"`
	Lines     []string              `json:"lines"`     // of the shared grammar, each with its environment
	Platforms []hybridcore.Platform `json:"platforms"` // that any of the lines may reach
	Images    []string              `json:"images"`    // that any of the lines may mean; none: all
	Actor     string                `json:"actor"`
	Change    string                `json:"change"`
	ReplyTo   string                `json:"reply_to"`
	Request   string                `json:"request"` // ID, given by who dispatched the run
	// Scheduled says that the run is of a schedule.
	Scheduled bool `json:"scheduled,omitempty"`
	// Ticket says that the run has a ticket of the bot, which the job that plans
	// verifies before anything else is done: who decides has no key.
	Ticket bool   `json:"ticket,omitempty"`
	Rule   string `json:"rule"` // why it is allowed, with its place
	// Next are the environments that a merge is built for after this one, each once
	// somebody has approved it.
	Next []string `json:"next,omitempty"`
}

// only is the policy of a job whose workflow gives the line itself, if it does.
func (p Policy) only(line string) Policy {
	if line == "" {
		return p
	}
	all := []string{line}
	p.Change, p.Merge, p.Tag, p.Schedule, p.input = all, all, all, all, line
	return p
}

// environment finds a declared environment.
func (p Policy) environment(name string) (Environment, error) {
	i := slices.IndexFunc(p.Environments, func(e Environment) bool { return e.Name == name })
	if i < 0 {
		return Environment{}, hybridcore.Usagef("the project file of the default branch declares no environment %.80q",
			name)
	}
	return p.Environments[i], nil
}

// isZero says whether an object ID is the one for "none".
func isZero(id string) bool { return strings.Trim(id, "0") == "" }
