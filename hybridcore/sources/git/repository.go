// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:43:57Z
// Spec: openspec/specs/plan/spec.md#requirement-difference-to-a-commit
// Diagram: openspec/specs/plan/diagram.md#two-trees

package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Bounds of what is read of a commit. A templates folder may hold 10,000 files
// with 64 MiB together; twice that leaves room to say what is too large.
const (
	maxCommitList  = 8 << 20
	maxCommitBytes = 128 << 20
)

// Repository is the git repository around a project, read only: git runs
// without hooks, without the network, and without what the repository's
// configuration says about programs.
type Repository struct {
	git    Runner
	prefix string // of the project within the repository, slash-separated; may be empty
}

// Open finds the repository around the project at root. There may be
// none: a UsageError. Environ is that of the process.
func Open(root string, environ []string) (*Repository, error) {
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, fmt.Errorf("looking for the repository of the project: %w", err)
	}
	for top := real; ; top = filepath.Dir(top) {
		_, err := os.Lstat(filepath.Join(top, ".git"))
		switch {
		case err == nil:
			prefix, err := filepath.Rel(top, real)
			if err != nil {
				return nil, fmt.Errorf("looking for the repository of the project: %w", err)
			}
			if prefix == "." {
				prefix = ""
			}
			return &Repository{
				Runner{Program: "git", Environ: environ, Dir: top, Home: os.DevNull, Offline: true},
				filepath.ToSlash(prefix),
			}, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("looking for the repository of the project: %w", err)
		case top == filepath.Dir(top):
			return nil, hybridcore.Usagef("the project is in no git repository: there is no commit to compare with")
		}
	}
}

// Resolve finds the commit that a revision names; see hybridcore.CheckRevision.
func (r *Repository) Resolve(ctx context.Context, rev string) (string, error) {
	if err := hybridcore.CheckRevision(rev); err != nil {
		return "", err
	}
	name, fromFork := strings.CutSuffix(rev, "...")
	commit, err := r.object(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	if err != nil {
		return "", r.absent(ctx, name, err)
	}
	if !fromFork {
		return commit, nil
	}
	base, err := r.object(ctx, "merge-base", commit, "HEAD")
	if err != nil && ctx.Err() == nil {
		return "", hybridcore.Blockedf(
			"%s and HEAD have no merge base in this clone; if it is a shallow one, run `git fetch --unshallow`", name)
	}
	return base, err
}

// object runs git for one object name.
func (r *Repository) object(ctx context.Context, args ...string) (string, error) {
	out, err := r.git.Run(ctx, maxAnswer, args...)
	if err != nil {
		return "", err
	}
	id, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if !hybridcore.IsObjectID(id) {
		return "", fmt.Errorf("git %s: %.80q is no object name", args[0], hclfile.Printable(id))
	}
	return id, nil
}

// maxTags bounds the names of tags at one commit, in bytes.
const maxTags = 64 << 10

// TagsAt lists the tags that point at a commit, by name.
func (r *Repository) TagsAt(ctx context.Context, commit string) ([]string, error) {
	if !hybridcore.IsObjectID(commit) {
		return nil, hybridcore.Usagef("%.80q is not the full object ID of a commit", commit)
	}
	out, err := r.git.Run(ctx, maxTags, "tag", "--points-at", commit)
	if err != nil {
		return nil, fmt.Errorf("listing the tags of commit %.12s: %w", commit, err)
	}
	return strings.Fields(string(out)), nil // no name of a ref holds white space
}

// absent says why there is no commit of that name.
func (r *Repository) absent(ctx context.Context, name string, err error) error {
	var blocked *hybridcore.BlockedError
	if ctx.Err() != nil || errors.As(err, &blocked) {
		return err
	}
	return hybridcore.Blockedf(
		"this clone has no commit %s; CI fetches one commit only: run `git fetch --depth=1 origin %s` first", name, name)
}

// Tree reads the project's files of a commit below the given paths, from git's
// objects: nothing is checked out, filtered or fetched. Links stay within the
// tree, and within a sub-tree of it.
func (r *Repository) Tree(ctx context.Context, commit string, paths ...string) (fs.FS, error) {
	args := []string{"ls-tree", "-r", "-z", "--full-tree", commit, "--"}
	for _, path := range paths {
		args = append(args, strings.TrimPrefix(r.prefix+"/"+path, "/"))
	}
	list, err := r.git.Run(ctx, maxCommitList, args...)
	if err != nil {
		return nil, fmt.Errorf("listing commit %.12s: %w", commit, err)
	}
	entries, err := parseList(list, false)
	if err != nil {
		return nil, fmt.Errorf("listing commit %.12s: %w", commit, err)
	}
	var ask strings.Builder
	for _, e := range entries {
		if e.Mode != ModeModule { // a submodule holds no file here
			ask.WriteString(e.ID + "\n")
		}
	}
	out, err := r.git.Feed(ctx, strings.NewReader(ask.String()), maxCommitBytes, "cat-file", "--batch")
	if err != nil {
		return nil, fmt.Errorf("reading commit %.12s: %w", commit, err)
	}
	tree := newFolder()
	for _, e := range entries {
		if e.Mode == ModeModule {
			continue
		}
		var content []byte
		if content, out, err = nextObject(out, e.ID); err != nil {
			return nil, fmt.Errorf("reading %s of commit %.12s: %w", hclfile.Printable(e.Path), commit, err)
		}
		path, ok := strings.CutPrefix(e.Path, strings.TrimPrefix(r.prefix+"/", "/"))
		if ok {
			tree.add(path, e.Mode, content)
		}
	}
	return tree, nil
}

// nextObject takes one answer of "git cat-file --batch" off its output:
// OBJECT blob SIZE, a line break, the content, a line break.
func nextObject(out []byte, id string) (content, rest []byte, err error) {
	line, rest, _ := bytes.Cut(out, []byte("\n"))
	fields := strings.Fields(string(line))
	switch {
	case len(fields) == 2 && fields[1] == "missing":
		return nil, nil, hybridcore.Blockedf(
			"this clone lacks it; run `git fetch --refetch --no-filter` or clone without a filter")
	case len(fields) != 3 || fields[0] != id || fields[1] != "blob":
		return nil, nil, fmt.Errorf("git answered %.80q", hclfile.Printable(string(line)))
	}
	size, err := strconv.Atoi(fields[2])
	if err != nil || size < 0 || size >= len(rest) || rest[size] != '\n' {
		return nil, nil, fmt.Errorf("git answered %.80q and %d bytes", line, len(rest))
	}
	return rest[:size], rest[size+1:], nil
}
