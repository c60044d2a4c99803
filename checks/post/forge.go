// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:50:00Z
// Spec: openspec/specs/posting/spec.md#requirement-two-systems
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// System is whom a run reports to.
type System string

// The systems.
const (
	GitHub System = "github" // check-runs and a comment
	GitLab System = "gitlab" // commit statuses and a note
)

// String is the system's own spelling of its name.
func (s System) String() string {
	if s == GitLab {
		return "GitLab"
	}
	return "GitHub"
}

// file is the name of the system's outbox in a run's directory.
func (s System) file() string { return string(cmp.Or(s, GitHub)) + FileName }

// Access is how a system is reached.
type Access struct {
	System System // empty: GitHub
	// API is the base address: GITHUB_API_URL or CI_API_V4_URL; empty for
	// api.github.com and gitlab.com.
	API   string
	Token string
	// Repository is the only one whose reports a flush sends; empty for all.
	Repository string
}

// forge is one system's way to take reports.
type forge interface {
	// check brings the state of a check there.
	check(ctx context.Context, it *item, want *checks.Check) error
	comments() commenter
	// answer is what a failed request was answered with.
	answer(err error) answer
}

// commenter keeps the comments of one change.
type commenter interface {
	// find gets the comment id, or without one all of this slot and author, oldest
	// first. A comment that is gone is no error.
	find(ctx context.Context, id int64) ([]comment, error)
	// put makes a comment, or edits the one with an identifier, and returns it.
	put(ctx context.Context, id int64, body string) (int64, error)
	remove(ctx context.Context, id int64) error
}

// comment is one that is there.
type comment struct {
	id   int64
	body string
}

// answer is what is known of a request that failed.
type answer struct {
	status int // 0: there was none, or it was no JSON
	header http.Header
	// denied says that the token must not do this at all.
	denied bool
}

// hub is what requests have in common. Each has a client of its own: the
// libraries refuse calls by a clock of their own after a limit, and the sender
// keeps the time here.
type hub struct {
	http    *http.Client
	base    *url.URL
	timeout time.Duration
}

func newHub(a Access) (*hub, error) {
	standard, sign := "https://api.github.com/", webapi.Bearer(a.Token)
	if a.System == GitLab {
		standard, sign = "https://gitlab.com/api/v4/", func(h http.Header) { h.Set("Private-Token", a.Token) }
	}
	base, ok := webapi.Address(cmp.Or(a.API, standard))
	if !ok {
		return nil, fmt.Errorf("%.80q is not the address of %s's API", a.API, a.System)
	}
	client := webapi.Client(webapi.Transport{Most: maxAnswer, Sign: sign})
	return &hub{http: client, base: base, timeout: requestTimeout}, nil
}
