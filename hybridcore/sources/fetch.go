// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:51Z
// Spec: openspec/specs/sources/spec.md#requirement-exactly-the-pinned-commits
// Diagram: openspec/specs/sources/diagram.md#sync

package sources

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
)

// Limits bound what one source may cost.
type Limits struct {
	Time  time.Duration // from start to end
	Wire  int64         // bytes of git objects
	Disk  int64         // bytes of the files
	Files int           // number of files
}

// DefaultLimits are far above the largest repository that the seed of a
// project names, 2 MiB and 400 files.
func DefaultLimits() Limits {
	return Limits{Time: 10 * time.Minute, Wire: 512 << 20, Disk: 2 << 30, Files: 100_000}
}

// watchEvery is how often the size of a running transfer is looked at.
const watchEvery = 50 * time.Millisecond

// fetch makes a verified checkout of a source in the empty folder g.Dir and
// returns the size of what was fetched, in bytes.
func (s Source) fetch(ctx context.Context, g git.Runner, from remote, limits Limits) (int64, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limits.Time, fmt.Errorf("it took longer than %s", limits.Time))
	defer cancel()
	if err := initialise(ctx, g); err != nil {
		return 0, err
	}
	size, err := s.transfer(ctx, g, from, limits.Wire)
	if err != nil {
		return 0, err
	}
	if err := s.checkTag(ctx, g); err != nil {
		return 0, err
	}
	entries, err := s.receipt(ctx, g, limits)
	if err != nil {
		return 0, err
	}
	if _, err := g.Run(ctx, maxHead, "checkout", "--quiet", "--detach", "--force", s.Commit, "--"); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(g.Dir, ".git", "config"), []byte(gitConfig(s.URL)), 0o644); err != nil {
		return 0, fmt.Errorf("writing the configuration: %w", err)
	}
	return size, s.verify(checkout(g.Dir), entries)
}

// initialise makes an empty repository that takes every file byte for byte:
// no line ends, filters (Git LFS) or encodings, whatever its .gitattributes say.
func initialise(ctx context.Context, g git.Runner) error {
	if _, err := g.Run(ctx, maxHead, "init", "--quiet", "--template=", "--object-format=sha1"); err != nil {
		return err
	}
	info := filepath.Join(g.Dir, ".git", "info")
	if err := os.MkdirAll(info, 0o755); err != nil {
		return fmt.Errorf("preparing the repository: %w", err)
	}
	err := os.WriteFile(filepath.Join(info, "attributes"), []byte("* -text -eol -ident -filter -working-tree-encoding\n"),
		0o644)
	if err != nil {
		return fmt.Errorf("preparing the repository: %w", err)
	}
	return nil
}

// transfer fetches the commit and its tag while watching the size.
func (s Source) transfer(ctx context.Context, g git.Runner, from remote, limit int64) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	objects := filepath.Join(g.Dir, ".git", "objects")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if size := sizeOf(objects); size > limit {
					cancel(hybridcore.Blockedf("the server sent more than %d MiB", limit>>20))
					return
				}
			}
		}
	}()
	args := []string{
		"fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
		"--end-of-options", from.address, s.Commit,
	}
	if s.Tag != "" {
		args = append(args, "+refs/tags/"+s.Tag+":refs/tags/"+s.Tag)
	}
	_, err := g.Run(ctx, maxHead, args...)
	cancel(nil)
	<-stopped
	if err != nil {
		return 0, fmt.Errorf("fetching %s from %s: %w", s.Commit, from.address, err)
	}
	size := sizeOf(objects)
	if size > limit {
		return 0, hybridcore.Blockedf("the server sent more than %d MiB", limit>>20)
	}
	return size, nil
}

// sizeOf adds up the files below a folder that git is writing to.
func sizeOf(dir string) int64 {
	var total int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // a temporary file that has gone
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
		return nil
	})
	return total
}

// checkTag compares the commit that the tag points at with the pin.
func (s Source) checkTag(ctx context.Context, g git.Runner) error {
	if s.Tag == "" {
		return nil
	}
	out, err := g.Run(ctx, maxHead, "rev-parse", "--verify", "--quiet", "--end-of-options", "refs/tags/"+s.Tag+"^{commit}")
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(string(out)); got != s.Commit {
		return s.moved(got)
	}
	return nil
}

// moved is the error of a tag that points elsewhere.
func (s Source) moved(got string) error {
	return hybridcore.Blockedf(
		"the tag %s points at %.40s, but %s:%d pins %s: upstream moved it, or the pin is wrong; look at both commits "+
			"before you change the pin", s.Tag, got, LockPath, s.Line, s.Commit)
}

// receipt writes what the checks read later, the commit object and the list
// of files, and returns the files.
func (s Source) receipt(ctx context.Context, g git.Runner, limits Limits) ([]git.Entry, error) {
	object, err := g.Run(ctx, git.MaxCommit, "cat-file", "commit", s.Commit)
	if err != nil {
		return nil, err
	}
	list, err := g.Run(ctx, git.MaxList, "ls-tree", "-r", "-z", "-l", "--full-tree", s.Commit)
	if err != nil {
		return nil, err
	}
	entries, err := git.Trusted(s.Commit, object, list)
	if err != nil {
		return nil, fmt.Errorf("verifying what was fetched: %w", err)
	}
	var size int64
	for _, e := range entries {
		size += max(e.Size, 0)
	}
	if len(entries) > limits.Files || size > limits.Disk {
		return nil, hybridcore.Blockedf("the commit has %d files of %d MiB; at most %d of %d MiB are written", len(entries),
			size>>20, limits.Files, limits.Disk>>20)
	}
	own := filepath.Join(g.Dir, ".git", ownFolder)
	err = os.Mkdir(own, 0o755)
	if err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(own, commitFile), object, 0o644),
			os.WriteFile(filepath.Join(own, listFile), list, 0o644))
	}
	if err != nil {
		return nil, fmt.Errorf("writing the list of files: %w", err)
	}
	return entries, nil
}

// verify checks a finished checkout: HEAD, and every file.
func (s Source) verify(c checkout, entries []git.Entry) error {
	head, err := c.head()
	if err != nil {
		return err
	}
	if _, err := hex.DecodeString(head); err != nil || head != s.Commit {
		return fmt.Errorf("verifying the checkout: HEAD is %.80q, not %s", head, s.Commit)
	}
	changes, err := compare(string(c), entries)
	if err != nil {
		return err
	}
	if len(changes) > 0 {
		return fmt.Errorf("verifying the checkout: %s", describe(changes))
	}
	return nil
}

// describe names the first differences.
func describe(changes []Change) string {
	const shown = 5
	var parts []string
	for _, c := range changes[:min(len(changes), shown)] {
		parts = append(parts, c.Kind+" "+c.Path)
	}
	if len(changes) > shown {
		parts = append(parts, "…")
	}
	return join(parts)
}
