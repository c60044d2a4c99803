// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:38:00Z
// Spec: openspec/specs/ci/spec.md#requirement-comment-commands
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/packer-hybrid/packer-hybrid/checks/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// Bounds of a lookup.
const (
	lookupTime = 30 * time.Second // both requests together
	maxFacts   = 16 << 20         // bytes of an answer
)

// lookup answers what a comment's event does not say: GitHub's part, and what
// the state knows of the change.
func (a *app) lookup(ctx context.Context, project config.Project, c ci.Comment) (ci.Facts, error) {
	facts, err := ask(ctx, a.access(), c)
	if err != nil {
		return ci.Facts{}, err
	}
	if facts.LastRun, facts.LastEnv, err = lastRun(ctx, project, c.Change); err != nil {
		_, _ = fmt.Fprintln(a.Err, "warning: the last run of this change is not known: "+ci.Inert(err.Error()))
	}
	return facts, nil
}

// maxLookBack bounds the records that are read for the last run of a change.
const maxLookBack = 200

// lastRun is the last build of a change with its environment; both are empty
// when there is none.
func lastRun(ctx context.Context, project config.Project, change int64) (run, env string, err error) {
	store, err := state.View(stateDir(project))
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("opening the state: %w", err)
	}
	ids, err := store.Records(ctx)
	if err != nil {
		return "", "", fmt.Errorf("listing records: %w", err)
	}
	for _, id := range slices.Backward(ids[max(0, len(ids)-maxLookBack):]) {
		rec, err := store.Record(ctx, id)
		if err != nil {
			return "", "", fmt.Errorf("reading a record: %w", err)
		}
		if rec.Request.Action == hybridcore.ActionBuild && rec.Request.Origin.Change == strconv.FormatInt(change, 10) {
			return rec.RunID, rec.Request.Env, nil
		}
	}
	return "", "", nil
}

// ask asks GitHub who wrote a comment and for which change.
func ask(ctx context.Context, access post.Access, c ci.Comment) (ci.Facts, error) {
	client := github.NewClient(webapi.Client(webapi.Transport{Most: maxFacts, Sign: webapi.Bearer(access.Token)}))
	if access.API != "" {
		base, ok := webapi.Address(access.API)
		if !ok {
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
