// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:12:30Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import "time"

// Config is how a simulator is to be.
type Config struct {
	Repository string   // OWNER/NAME; others are not found
	Token      string   // of the caller
	Login      string   // whom the token belongs to, e.g. github-actions[bot]
	Commits    []string // that exist, full object IDs
	Change     int      // number of the one open pull request, whose head is the first commit; 0: none
	Base       string   // commit that the pull request is to be merged into; empty: its head
	Branch     string   // the one there is, at the first commit; empty: any
	App        *App     // may get tokens for its installation; nil: whoever has Token may
	RunName    string   // the workflow's run-name, with %s for the input request_id; empty: "images %s"
	Denied     []string // what the token must not write: checks, issues, actions; or read: contents:read, … issues:read
	NoIssues   bool     // the repository has its issues turned off
	Archived   bool
	Workflows  map[string]Workflow // by file name; nil: any can be dispatched, and none is shown
	Roles      map[string]string   // login → permission: admin, write, read, none
	Users      map[string]int64    // login → ID; others have 7
	Author     string              // of the pull request; empty: somebody
	Reviews    []Review            // of the pull request, oldest first
	Now        func() time.Time    // nil: the system's clock
}

// Workflow is a file of .github/workflows on the branches.
type Workflow struct {
	Text string
	Off  bool // switched off by hand
}

// Review is one of the pull request.
type Review struct {
	Login  string
	State  string // APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED
	Commit string // that it is about; empty: GitHub knows none any more
}
