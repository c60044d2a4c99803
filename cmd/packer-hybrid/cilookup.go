// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:38:00Z
// Spec: openspec/specs/ci/spec.md#requirement-comment-commands
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/packer-hybrid/packer-hybrid/checks/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// lookupTime bounds both requests of a lookup together.
const lookupTime = 30 * time.Second

// lookup asks GitHub who wrote a comment and for which change.
func lookup(ctx context.Context, access post.Access, c ci.Comment) (ci.Facts, error) {
	client := github.NewClient(&http.Client{
		Timeout:       lookupTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for this host only
	}).WithAuthToken(access.Token)
	if access.API != "" {
		base, err := url.Parse(strings.TrimSuffix(access.API, "/") + "/")
		if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
			return ci.Facts{}, hybridcore.Usagef("GITHUB_API_URL is %.80q, which is not the address of GitHub's API", access.API)
		}
		client.BaseURL = base
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	owner, name, _ := strings.Cut(c.Repository, "/")
	level, _, err := client.Repositories.GetPermissionLevel(ctx, owner, name, c.Login)
	if err != nil {
		return ci.Facts{}, fmt.Errorf("asking GitHub for the permission: %w", err)
	}
	pull, _, err := client.PullRequests.Get(ctx, owner, name, int(c.Change))
	if err != nil {
		return ci.Facts{}, fmt.Errorf("asking GitHub for the pull request: %w", err)
	}
	return ci.Facts{
		User: level.GetUser().GetID(), Permission: level.GetPermission(), Open: pull.GetState() == "open",
		Head: pull.GetHead().GetSHA(), HeadRepository: pull.GetHead().GetRepo().GetFullName(), Base: pull.GetBase().GetSHA(),
	}, nil
}
