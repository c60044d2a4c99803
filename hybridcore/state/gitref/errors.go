// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:52:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref

import (
	"errors"
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// gitError is what git said when it failed. A server wrote a part of it.
type gitError struct {
	verb, said string
	err        error
}

// Error is on one line, without what could steer a terminal.
func (e *gitError) Error() string {
	var kept []string
	for line := range strings.Lines(e.said) {
		if line = strings.TrimSpace(text.Sanitize(Shown(line))); line != "" && len(kept) < 8 {
			kept = append(kept, line)
		}
	}
	return fmt.Sprintf("git %s: %v: %s", e.verb, e.err, strings.Join(kept, "; "))
}

// Unwrap is how git ended.
func (e *gitError) Unwrap() error { return e.err }

// says tells whether git said one of these, in any case of letters.
func says(err error, texts ...string) bool {
	failed, ok := errors.AsType[*gitError](err)
	if !ok {
		return false
	}
	said := strings.ToLower(failed.said)
	for _, one := range texts {
		if strings.Contains(said, one) {
			return true
		}
	}
	return false
}

// raced says that the ref was not where this process had seen it.
func raced(err error) bool {
	return says(err, "stale info", "cannot lock ref", "failed to lock", "fetch first", "reference already exists",
		"failed to update ref", "incorrect old value", "non-fast-forward")
}

// noRef says that the repository has no such ref.
func noRef(err error) bool { return says(err, "couldn't find remote ref") }

// causes are what servers say, and what to do about it.
var causes = []struct {
	says []string
	hint string
}{
	{
		[]string{"hidden ref", "funny refname", "not allowed to update", "refusing to update"},
		"the server does not let this ref be written: set ref in the block state to a branch that only " +
			"packer-hybrid writes, such as refs/heads/packer-hybrid-state",
	},
	{
		[]string{"protected branch", "protected ref", "gh006", "gh013", "pre-receive hook declined", "hook declined"},
		"a rule of the repository refuses the push: exempt this ref from the rule, or let who pushes pass it; where " +
			"commits must be signed, set sign = true in the block state",
	},
	{
		[]string{"must be signed", "unsigned commit", "verified signature"},
		"the repository wants signed commits: set sign = true in the block state, and a key for git",
	},
	{
		[]string{
			"exceeds github's file size limit", "gh001", "maximum allowed size", "pack exceeds", "entity too large",
			"http 413",
		},
		"the server refuses a pack of this size: GitHub takes files up to 100 MB, GitLab what its administrator has set",
	},
	{
		[]string{
			"authentication failed", "could not read username", "could not read password", "http 401", "error: 401",
			"error: 403", "permission denied", "access denied", "denied to", "not allowed to push",
			"host key verification failed",
			"write access to repository not granted",
		},
		"the repository refuses who asks: the job needs the right to write contents (GitHub: permissions contents: write; " +
			"GitLab: allow the job token to push), or a deploy key; docs/state.md lists them",
	},
	{
		[]string{"repository not found", "does not appear to be a git repository", "http 404", "error: 404", "not found"},
		"there is no such repository, or who asks may not read it: see repository in the block state",
	},
}

// hint is what to do about what a server said; empty when that is not known.
func hint(err error) string {
	for _, cause := range causes {
		if says(err, cause.says...) {
			return cause.hint
		}
	}
	return ""
}

// explained is an error with what to do about it.
func explained(doing string, err error) error {
	if next := hint(err); next != "" {
		return &hybridcore.BlockedError{Msg: doing + "\n  hint: " + next, Err: err}
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// passing is what is said of a repository that may answer the next time.
var passing = []string{
	"error: 429", "error: 500", "error: 502", "error: 503", "error: 504", "http 429", "http 500", "http 502", "http 503",
	"http 504", "early eof", "hung up", "connection reset", "connection refused", "timed out", "timeout",
	"unexpected disconnect", "empty reply", "rpc failed", "unable to access", "invalid index-pack output",
	"unpack failed", "could not resolve host", "temporarily unavailable",
}

// passes says that trying again may help.
func passes(err error) bool {
	return errors.Is(err, errLate) || hint(err) == "" && says(err, passing...)
}
