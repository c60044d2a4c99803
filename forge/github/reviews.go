// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:10:42Z
// Spec: openspec/specs/ci/spec.md#requirement-reviewed-commits
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// Bounds of what GitHub is asked.
const (
	lookupTime     = 30 * time.Second // all requests of one question together
	maxReviewPages = 10               // of 100 reviews each
	maxApprovers   = 20               // whose permission is asked
)

// asker asks GitHub about changes and people of one repository.
type asker struct{ api client }

// ask makes what answers for a repository.
func ask(access post.Access, repository string) (forge.Asker, error) {
	client, err := newClient(access.API, repository, byToken(access.Token), lookupTime)
	if err != nil {
		return nil, hybridcore.Usagef("GITHUB_API_URL or GITHUB_REPOSITORY: %v", err)
	}
	return asker{client}, nil
}

// Facts answers what a comment's event does not say.
func (a asker) Facts(ctx context.Context, c ci.Comment) (ci.Facts, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	user, permission, err := a.permission(ctx, c.Login)
	if err != nil {
		return ci.Facts{}, err
	}
	pull, err := a.pull(ctx, c.Change)
	if err != nil {
		return ci.Facts{}, err
	}
	return ci.Facts{
		User: user, Permission: permission, Open: pull.GetState() == "open",
		Head: pull.GetHead().GetSHA(), HeadRepository: pull.GetHead().GetRepo().GetFullName(), Base: pull.GetBase().GetSHA(),
		LastRun: ci.LastRun, // the job that has the state says which it is
	}, nil
}

// loginForm is a login of GitHub, which becomes part of an address; managed users
// have an underscore, and programs end with [bot].
var loginForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}(\[bot\])?$`)

// permission is what somebody may do, and the ID of who has the login now. An
// answer about nobody, or about somebody else, is an error: nobody was looked up.
func (a asker) permission(ctx context.Context, login string) (user int64, permission string, err error) {
	if !loginForm.MatchString(login) {
		return 0, "", hybridcore.Blockedf("%.40q is no login of GitHub, and without one GitHub cannot be asked for the "+
			"permission", login)
	}
	var level *github.RepositoryPermissionLevel
	err = a.api.call(ctx, func(ctx context.Context, c *github.Client) (err error) {
		level, _, err = c.Repositories.GetPermissionLevel(ctx, a.api.owner, a.api.repo, login)
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return 0, "", fmt.Errorf("asking GitHub for the permission: %w", err)
	}
	if of := level.GetUser(); of.GetID() == 0 || !strings.EqualFold(of.GetLogin(), login) {
		return 0, "", hybridcore.Blockedf("asked for the permission of %s, GitHub answers with that of %.40q, user %d: "+
			"nobody knows what %[1]s may do; ask again", login, of.GetLogin(), of.GetID())
	}
	return level.GetUser().GetID(), level.GetPermission(), nil
}

func (a asker) pull(ctx context.Context, number int64) (*github.PullRequest, error) {
	var pull *github.PullRequest
	err := a.api.call(ctx, func(ctx context.Context, c *github.Client) (err error) {
		pull, _, err = c.PullRequests.Get(ctx, a.api.owner, a.api.repo, int(number))
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return nil, fmt.Errorf("asking GitHub for the pull request: %w", err)
	}
	return pull, nil
}

// Approval finds who has approved a commit: another person than who asks and
// whose change it is, who may write, at this very commit, which is still the
// head of an open pull request of this repository. An empty answer is nobody.
func (a asker) Approval(ctx context.Context, u ci.Unmerged) (ci.Approval, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	user, permission, err := a.permission(ctx, u.Login)
	switch {
	case err != nil:
		return ci.Approval{}, err
	case user != u.User || !ci.MayWrite(permission):
		return ci.Approval{}, hybridcore.Blockedf("user %d, who asks, may not write to %s: GitHub says that %.40q is "+
			"user %d with the permission %.20q", u.User, u.Repository, u.Login, user, permission)
	}
	pull, err := a.pullOf(ctx, u)
	if err != nil || pull == nil {
		return ci.Approval{}, err
	}
	if pull.GetUser().GetID() == 0 || pull.GetNumber() == 0 {
		return ci.Approval{}, hybridcore.Blockedf("GitHub does not say whose pull request has the commit %.12s: nobody "+
			"knows whether its author has approved it", u.Commit)
	}
	reviews, err := a.reviews(ctx, pull.GetNumber())
	if err != nil {
		return ci.Approval{}, err
	}
	slices.SortStableFunc(reviews, func(a, b review) int { return a.At.Compare(b.At) })
	reviews = slices.DeleteFunc(reviews, func(r review) bool {
		return r.State == "APPROVED" && (r.At.IsZero() || !u.Asked.IsZero() && r.At.After(u.Asked))
	})
	candidates := approving(reviews, u.Commit, u.User, pull.GetUser().GetID())
	for _, r := range candidates[:min(len(candidates), maxApprovers)] {
		user, permission, err := a.permission(ctx, r.Login)
		if refused, ok := errors.AsType[*github.ErrorResponse](err); ok &&
			refused.Response.StatusCode == http.StatusNotFound {
			continue // no user of this repository any more
		}
		if err != nil {
			return ci.Approval{}, err
		}
		if user == r.User && ci.MayWrite(permission) {
			return ci.Approval{By: r.Login, Change: strconv.Itoa(pull.GetNumber())}, nil
		}
	}
	return ci.Approval{}, nil
}

// pullOf is the open pull request of this repository whose head is the commit;
// nil for none.
func (a asker) pullOf(ctx context.Context, u ci.Unmerged) (*github.PullRequest, error) {
	fits := func(p *github.PullRequest) bool {
		return p.GetState() == "open" && p.GetHead().GetSHA() == u.Commit &&
			strings.EqualFold(p.GetHead().GetRepo().GetFullName(), u.Repository)
	}
	if u.Change != 0 {
		pull, err := a.pull(ctx, u.Change)
		if err != nil || !fits(pull) || int64(pull.GetNumber()) != u.Change {
			return nil, err
		}
		return pull, nil
	}
	var pulls []*github.PullRequest
	err := a.api.call(ctx, func(ctx context.Context, c *github.Client) (err error) {
		pulls, _, err = c.PullRequests.ListPullRequestsWithCommit(ctx, a.api.owner, a.api.repo, u.Commit,
			&github.ListOptions{PerPage: 100})
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return nil, fmt.Errorf("asking GitHub for the pull requests of commit %.12s: %w", u.Commit, err)
	}
	for _, p := range pulls {
		if fits(p) {
			return p, nil
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

// reviews are all of a pull request, in the order of their making.
func (a asker) reviews(ctx context.Context, number int) ([]review, error) {
	var all []review
	for page := 1; page <= maxReviewPages; page++ {
		var list []*github.PullRequestReview
		next := 0
		err := a.api.call(ctx, func(ctx context.Context, c *github.Client) error {
			found, answer, err := c.PullRequests.ListReviews(ctx, a.api.owner, a.api.repo, number,
				&github.ListOptions{Page: page, PerPage: 100})
			if err == nil {
				list, next = found, answer.NextPage
			}
			return err //nolint:wrapcheck // wrapped below
		})
		if err != nil {
			return nil, fmt.Errorf("asking GitHub for the reviews: %w", err)
		}
		for _, r := range list { // any of them may be null
			if r.GetUser().GetType() != "User" { // a program is nobody who has looked
				continue
			}
			all = append(all, review{
				User: r.GetUser().GetID(), Login: r.GetUser().GetLogin(), State: r.GetState(),
				Commit: r.GetCommitID(), At: r.GetSubmittedAt().Time,
			})
		}
		switch {
		case next == 0:
			return all, nil
		case next != page+1:
			return nil, hybridcore.Blockedf("GitHub names page %d of the reviews of pull request %d after page %d: the "+
				"last ones count, and nobody knows which those are; ask again", next, number, page)
		}
	}
	return nil, hybridcore.Blockedf("pull request %d has more than %d reviews, of which the last ones count: merge "+
		"it, or open it anew", number, 100*maxReviewPages)
}

// review is one review of a change.
type review struct {
	User   int64
	Login  string
	State  string // APPROVED, CHANGES_REQUESTED, DISMISSED, COMMENTED or PENDING
	Commit string // that it is about
	At     time.Time
}

// approving are the reviews that may count as the approval of a commit, of a
// list in the order of their making: the last that each person decided something
// with, when it approves just this commit. Those of the excepted people count
// for nothing: who asks, and whose change it is.
func approving(reviews []review, commit string, except ...int64) []review {
	last := map[int64]review{}
	var order []int64
	for _, r := range reviews {
		if r.State == "COMMENTED" || r.State == "PENDING" || r.User == 0 || slices.Contains(except, r.User) {
			continue
		}
		order = slices.DeleteFunc(order, func(user int64) bool { return user == r.User })
		order = append(order, r.User)
		last[r.User] = r
	}
	var found []review
	for _, user := range order {
		if r := last[user]; r.State == "APPROVED" && r.Commit == commit && commit != "" {
			found = append(found, r)
		}
	}
	return found
}
