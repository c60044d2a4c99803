// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:10:42Z
// Spec: openspec/specs/ci/spec.md#requirement-reviewed-commits
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package job

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

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// Bounds of what GitHub is asked.
const (
	lookupTime     = 30 * time.Second // all requests of one question together
	maxFacts       = 16 << 20         // bytes of an answer
	maxReviewPages = 10               // of 100 reviews each
	maxApprovers   = 20               // whose permission is asked
)

// hub is GitHub, asked about one repository.
type hub struct {
	client      *github.Client
	owner, name string
}

func (h *Host) hub(repository string) (hub, error) {
	access := h.access()
	client := github.NewClient(webapi.Client(webapi.Transport{Most: maxFacts, Sign: webapi.Bearer(access.Token)}))
	if access.API != "" {
		base, ok := webapi.Address(access.API)
		if !ok {
			return hub{}, hybridcore.Usagef("GITHUB_API_URL is %.80q, which is not the address of GitHub's API",
				access.API)
		}
		client.BaseURL = base
	}
	owner, name, _ := strings.Cut(repository, "/")
	return hub{client, owner, name}, nil
}

// lookup answers what a comment's event does not say.
func (h *Host) lookup(ctx context.Context, c ci.Comment) (ci.Facts, error) {
	at, err := h.hub(c.Repository)
	if err != nil {
		return ci.Facts{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	user, permission, err := at.permission(ctx, c.Login)
	if err != nil {
		return ci.Facts{}, err
	}
	pull, err := at.pull(ctx, c.Change)
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
func (h hub) permission(ctx context.Context, login string) (user int64, permission string, err error) {
	if !loginForm.MatchString(login) {
		return 0, "", hybridcore.Blockedf("%.40q is no login of GitHub, and without one GitHub cannot be asked for the "+
			"permission", login)
	}
	level, _, err := h.client.Repositories.GetPermissionLevel(ctx, h.owner, h.name, login)
	if err != nil {
		return 0, "", fmt.Errorf("asking GitHub for the permission: %w", err)
	}
	if of := level.GetUser(); of.GetID() == 0 || !strings.EqualFold(of.GetLogin(), login) {
		return 0, "", hybridcore.Blockedf("asked for the permission of %s, GitHub answers with that of %.40q, user %d: "+
			"nobody knows what %[1]s may do; ask again", login, of.GetLogin(), of.GetID())
	}
	return level.GetUser().GetID(), level.GetPermission(), nil
}

func (h hub) pull(ctx context.Context, number int64) (*github.PullRequest, error) {
	pull, _, err := h.client.PullRequests.Get(ctx, h.owner, h.name, int(number))
	if err != nil {
		return nil, fmt.Errorf("asking GitHub for the pull request: %w", err)
	}
	return pull, nil
}

// approval finds who has approved a commit: another person than who asks and
// whose change it is, who may write, at this very commit, which is still the
// head of an open pull request of this repository. An empty answer is nobody.
func (h *Host) approval(ctx context.Context, u ci.Unmerged) (ci.Approval, error) {
	at, err := h.hub(u.Repository)
	if err != nil {
		return ci.Approval{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	user, permission, err := at.permission(ctx, u.Login)
	switch {
	case err != nil:
		return ci.Approval{}, err
	case user != u.User || !ci.MayWrite(permission):
		return ci.Approval{}, hybridcore.Blockedf("user %d, who asks, may not write to %s: GitHub says that %.40q is "+
			"user %d with the permission %.20q",
			u.User, u.Repository, u.Login, user, permission)
	}
	pull, err := at.pullOf(ctx, u)
	if err != nil || pull == nil {
		return ci.Approval{}, err
	}
	if pull.GetUser().GetID() == 0 || pull.GetNumber() == 0 {
		return ci.Approval{}, hybridcore.Blockedf("GitHub does not say whose pull request has the commit %.12s: nobody "+
			"knows whether its author has approved it", u.Commit)
	}
	reviews, err := at.reviews(ctx, pull.GetNumber())
	if err != nil {
		return ci.Approval{}, err
	}
	slices.SortStableFunc(reviews, func(a, b ci.Review) int { return a.At.Compare(b.At) })
	reviews = slices.DeleteFunc(reviews, func(r ci.Review) bool {
		return r.State == "APPROVED" && (r.At.IsZero() || !u.Asked.IsZero() && r.At.After(u.Asked))
	})
	candidates := ci.Approving(reviews, u.Commit, u.User, pull.GetUser().GetID())
	for _, r := range candidates[:min(len(candidates), maxApprovers)] {
		user, permission, err := at.permission(ctx, r.Login)
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
func (h hub) pullOf(ctx context.Context, u ci.Unmerged) (*github.PullRequest, error) {
	fits := func(p *github.PullRequest) bool {
		return p.GetState() == "open" && p.GetHead().GetSHA() == u.Commit &&
			strings.EqualFold(p.GetHead().GetRepo().GetFullName(), u.Repository)
	}
	if u.Change != 0 {
		pull, err := h.pull(ctx, u.Change)
		if err != nil || !fits(pull) || int64(pull.GetNumber()) != u.Change {
			return nil, err
		}
		return pull, nil
	}
	pulls, _, err := h.client.PullRequests.ListPullRequestsWithCommit(ctx, h.owner, h.name, u.Commit,
		&github.ListOptions{PerPage: 100})
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
func (h hub) reviews(ctx context.Context, number int) ([]ci.Review, error) {
	var all []ci.Review
	for page := 1; page <= maxReviewPages; page++ {
		list, answer, err := h.client.PullRequests.ListReviews(ctx, h.owner, h.name, number,
			&github.ListOptions{Page: page, PerPage: 100})
		if err != nil {
			return nil, fmt.Errorf("asking GitHub for the reviews: %w", err)
		}
		for _, r := range list { // any of them may be null
			if r.GetUser().GetType() != "User" { // a program is nobody who has looked
				continue
			}
			all = append(all, ci.Review{
				User: r.GetUser().GetID(), Login: r.GetUser().GetLogin(), State: r.GetState(),
				Commit: r.GetCommitID(), At: r.GetSubmittedAt().Time,
			})
		}
		switch next := answer.NextPage; {
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
