// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:00:05Z
// Spec: openspec/specs/ci/spec.md#requirement-reviewed-commits
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package sources

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Head is the commit of the checkout.
func (r *Repository) Head(ctx context.Context) (string, error) {
	id, err := r.object(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if err != nil {
		return "", fmt.Errorf("asking git for the commit of the checkout: %w", err)
	}
	return id, nil
}

// Tip is the last commit of a branch, as it was fetched from the server; in a
// repository without one, that of the branch itself.
func (r *Repository) Tip(ctx context.Context, branch string) (string, error) {
	if err := hybridcore.CheckRevision(branch); err != nil {
		return "", err
	}
	for _, ref := range []string{"refs/remotes/origin/", "refs/heads/"} {
		id, err := r.object(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+branch+"^{commit}")
		if err == nil {
			return id, nil
		}
		if exited(err) != 1 {
			return "", fmt.Errorf("asking git for the branch %s: %w", branch, err)
		}
	}
	return "", hybridcore.Blockedf("this clone has no branch %s, so that nobody can say what is merged into it; "+
		"check it out with all branches (fetch-depth: 0 at GitHub, GIT_DEPTH: 0 at GitLab)", branch)
}

// Contains says whether a commit is the tip or one of its ancestors. Only what
// the clone has is asked: nothing is fetched. A clone that is cut off below the
// commit cannot say, which is a BlockedError.
func (r *Repository) Contains(ctx context.Context, tip, commit string) (bool, error) {
	if !hybridcore.IsObjectID(tip) || !hybridcore.IsObjectID(commit) {
		return false, hybridcore.Usagef("%.80q or %.80q is not the full object ID of a commit", tip, commit)
	}
	id, err := r.object(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", commit+"^{commit}")
	if err != nil && exited(err) != 1 {
		return false, fmt.Errorf("asking git for commit %.12s: %w", commit, err)
	}
	if err == nil && id == commit { // the ID of an annotated tag is none of a commit
		_, err = r.git.run(ctx, maxHead, "merge-base", "--is-ancestor", commit, tip)
		switch {
		case err == nil:
			return true, nil
		case exited(err) != 1:
			return false, fmt.Errorf("asking git whether commit %.12s is merged: %w", commit, err)
		}
	}
	shallow, err := r.git.run(ctx, maxHead, "rev-parse", "--is-shallow-repository")
	switch {
	case err != nil:
		return false, fmt.Errorf("asking git whether its history is whole: %w", err)
	case string(shallow) != "false\n":
		return false, hybridcore.Blockedf("this clone does not have the whole history, so that it cannot say whether "+
			"commit %.12s is merged; "+
			"fetch all of it (fetch-depth: 0 at GitHub, GIT_DEPTH: 0 at GitLab)", commit)
	}
	return false, nil
}

// exited is git's own exit code; 0 when it is not known.
func exited(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return 0
}
