// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:00:05Z
// Spec: openspec/specs/ci/spec.md#requirement-reviewed-commits
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Head is the commit of the checkout; empty before the first one.
func (r *Repository) Head(ctx context.Context) (string, error) {
	id, err := r.object(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if exited(err) == 1 { // quiet: there is none
		return "", nil
	}
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
		// rev-parse would take refs/tags/refs/remotes/origin/main for a ref that is missing.
		id, err := r.object(ctx, "show-ref", "--verify", "--hash", "--", ref+branch)
		if err == nil {
			return id, nil
		}
		if code := exited(err); code != 1 && code != 128 { // both: there is none
			return "", fmt.Errorf("asking git for the branch %s: %w", branch, err)
		}
	}
	return "", hybridcore.Blockedf("this clone has no branch %s, so that nobody can say what is merged into it; "+
		"check it out with all branches (fetch-depth: 0 at GitHub, GIT_DEPTH: 0 at GitLab)", branch)
}

// maxLine bounds the commits of a branch's first-parent line, as git prints them,
// in bytes: some 1.6 million commits.
const maxLine = 64 << 20

// Contains says whether a commit is the tip, or was one: whether it is on the line
// of first parents. A commit inside a merged branch was in no tree that anybody
// has reviewed: a later one of the same branch may have taken it back. Only what
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
		line, err := r.git.Run(ctx, maxLine, "rev-list", "--first-parent", "--end-of-options", tip)
		if err != nil {
			return false, fmt.Errorf("asking git whether commit %.12s is merged: %w", commit, err)
		}
		if bytes.Contains(append([]byte("\n"), line...), []byte("\n"+commit+"\n")) {
			return true, nil
		}
	}
	shallow, err := r.git.Run(ctx, maxAnswer, "rev-parse", "--is-shallow-repository")
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

// Parents are those of a commit, the first one being what it was made on; none where
// the clone does not have the commit.
func (r *Repository) Parents(ctx context.Context, commit string) ([]string, error) {
	if !hybridcore.IsObjectID(commit) {
		return nil, hybridcore.Usagef("%.80q is not the full object ID of a commit", commit)
	}
	line, err := r.git.Run(ctx, maxAnswer, "rev-list", "--parents", "--max-count=1", "--end-of-options", commit)
	if code := exited(err); code == 1 || code == 128 { // both: it is not there
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking git for the parents of commit %.12s: %w", commit, err)
	}
	ids := strings.Fields(string(line))
	if len(ids) == 0 || ids[0] != commit {
		return nil, nil
	}
	return ids[1:], nil
}

// maxTracked bounds the names of tracked files below one folder, in bytes.
const maxTracked = 16 << 20

// Tracked are the files at or below a path of the project that the checkout's
// index holds, as slash-separated paths of the project: what a commit brought.
func (r *Repository) Tracked(ctx context.Context, name string) ([]string, error) {
	if !fs.ValidPath(name) {
		return nil, hybridcore.Usagef("%.200q is no path of the project", name)
	}
	list, err := r.git.Run(ctx, maxTracked, "ls-files", "-z", "--cached", "--", path.Join(r.prefix, name))
	if err != nil {
		return nil, fmt.Errorf("asking git for the tracked files in %s: %w", name, err)
	}
	return r.ofProject(list), nil
}

// Files are those of the project that git tracks or does not ignore, sorted, as
// slash-separated paths of the project. Some may be removed already.
func (r *Repository) Files(ctx context.Context) ([]string, error) {
	list, err := r.git.Run(ctx, maxTracked, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--",
		path.Join(r.prefix, "."))
	if err != nil {
		return nil, fmt.Errorf("asking git for the files of the project: %w", err)
	}
	found := r.ofProject(list)
	slices.Sort(found)
	return slices.Compact(found), nil // a conflict has a file several times
}

// ofProject are the paths of a list of git's that are in the project.
func (r *Repository) ofProject(list []byte) []string {
	var found []string
	for file := range strings.SplitSeq(string(list), "\x00") {
		if file, ours := strings.CutPrefix(file, r.prefix); ours && file != "" {
			found = append(found, strings.TrimPrefix(file, "/"))
		}
	}
	return found
}

// exited is git's own exit code; 0 when it is not known.
func exited(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return 0
}
