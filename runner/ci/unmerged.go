// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:04:51Z
// Spec: openspec/specs/ci/spec.md#requirement-reviewed-commits
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package ci

import (
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// MayWrite says whether a permission is one to write to the repository.
func MayWrite(permission string) bool {
	return slices.Contains([]string{"admin", "maintain", "write"}, permission)
}

// MergedOnly says why a request, which names its environment, is none for a commit that is
// not merged; empty where an approval is all it needs.
func (p Policy) MergedOnly(r hybridcore.Request) (why string, err error) {
	switch r.Action {
	case hybridcore.ActionPublish:
		return "only merged code is published", nil
	case hybridcore.ActionReap:
		return "only merged code removes things from a platform", nil
	case hybridcore.ActionFree:
		return "only merged code releases a lease", nil
	}
	env, err := p.environment(r.Env)
	switch {
	case err != nil:
		return "", err
	case env.Prod:
		return fmt.Sprintf("the environment %s is for merged code only; merge it, or ask for a merged commit", env.Name), nil
	case !slices.Contains(p.Unmerged, env.Name):
		return fmt.Sprintf("the project file of that branch has no `unmerged = [%q]` in its block ci; merge it, or "+
			"ask for a merged commit", env.Name), nil
	}
	return "", nil
}

// unmerged says why a commit that is not merged may be worked on, or refuses it.
func (j Job) unmerged(commands []parsed) (string, error) {
	policy := j.reading.policy
	refuse := func(format string, args ...any) (string, error) {
		args = append([]any{j.Commit, Shown(j.reading.event.Branch)}, args...)
		return "", hybridcore.Blockedf("commit %.12s is not merged into %s, and "+format, args...)
	}
	if j.Place.Again {
		return refuse("this run was started again, perhaps by somebody else and for another head than the one that was " +
			"asked for: ask anew")
	}
	for _, c := range commands {
		switch why, err := policy.MergedOnly(c.Request); {
		case err != nil:
			return "", err
		case why != "":
			return refuse("%s", why)
		}
	}
	if len(j.Ticket) > 0 {
		return "ci, unmerged (" + policy.Place + "), and a ticket of the bot that the job verifies", nil
	}
	if j.reading.in.Approval == nil {
		return refuse("this job cannot ask who has approved it; `packer-hybrid ci --decide` does, with a token")
	}
	change := int64(0)
	if j.Place.Origin.Change != "" {
		change = number(j.Place.Origin.Change)
	}
	by := j.reading.event.By
	approval, err := j.reading.in.Approval(Unmerged{
		Repository: j.Place.Repository, Commit: j.Commit, Change: change, User: by.ID, Login: by.Login,
		Asked: by.At,
	})
	switch {
	case err != nil:
		return "", err
	case approval.By == "":
		return refuse("nobody who may write has approved it at this very commit, but perhaps you or its author: ask " +
			"for a review of its pull request, then ask again")
	}
	return strings.Join([]string{"ci, unmerged (" + policy.Place + ")", "approved by " + Shown(approval.By)}, ", "), nil
}
