// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package github

import "time"

// payload is what is read of GitHub's events; they are all of one shape. Names
// are taken in their case and once each. Half a character in somebody's commit
// message must not stop a build, so invalid text is replaced. A library of all
// the fields would refuse events for the sake of those nobody reads.
type payload struct {
	Action      string      `json:"action"`
	Ref         string      `json:"ref"`
	After       string      `json:"after"`
	Deleted     bool        `json:"deleted"`
	HeadCommit  commit      `json:"head_commit"`
	Repository  repo        `json:"repository"`
	Sender      user        `json:"sender"`
	Number      int64       `json:"number"`
	PullRequest pullRequest `json:"pull_request"`
	Changes     changes     `json:"changes"`
	Inputs      inputs      `json:"inputs"`
	Issue       issue       `json:"issue"`
	Comment     comment     `json:"comment"`
	MergeGroup  mergeGroup  `json:"merge_group"`
}

type (
	commit struct {
		ID string `json:"id"`
	}
	repo struct {
		ID            int64  `json:"id"`
		FullName      string `json:"full_name"`
		DefaultBranch string `json:"default_branch"`
	}
	user struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
		Type  string `json:"type"`
	}
	mergeGroup struct {
		HeadSHA string `json:"head_sha"`
		HeadRef string `json:"head_ref"`
		BaseSHA string `json:"base_sha"`
	}
	side struct {
		Ref  string `json:"ref"`
		SHA  string `json:"sha"`
		Repo repo   `json:"repo"`
	}
	pullRequest struct {
		Number int64 `json:"number"`
		User   user  `json:"user"`
		Head   side  `json:"head"`
		Base   side  `json:"base"`
	}
	changes struct {
		Base *struct{} `json:"base"` // there when a change got a new base
	}
	inputs struct {
		Command   string `json:"command"`
		SHA       string `json:"sha"`
		RequestID string `json:"request_id"`
		Ticket    string `json:"ticket"`
	}
	issue struct {
		Number      int64     `json:"number"`
		State       string    `json:"state"`
		PullRequest *struct{} `json:"pull_request"` // there when the issue is a change
	}
	comment struct {
		ID          int64     `json:"id"`
		Body        string    `json:"body"`
		User        user      `json:"user"`
		Association string    `json:"author_association"`
		Created     time.Time `json:"created_at"`
		App         *struct{} `json:"performed_via_github_app"` // there when a program wrote it
	}
)
