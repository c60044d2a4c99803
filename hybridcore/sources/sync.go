// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:51Z
// Spec: openspec/specs/sources/spec.md#requirement-exactly-the-pinned-commits
// Diagram: openspec/specs/sources/diagram.md#sync

package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
)

// lockWait is how long a sync waits for another one.
const lockWait = 30 * time.Second

// DefaultParallel is how many sources are fetched at once.
const DefaultParallel = 8

// Syncer brings checkouts to their pins.
type Syncer struct {
	Root     string       // of the project
	Environ  []string     // of our process; git gets an allow-list of it
	Mirror   string       // directory or https URL to fetch from; empty for the pinned URLs
	Git      string       // program; empty means git on PATH
	Force    bool         // compare every file, and replace checkouts that hold changes
	Parallel int          // sources fetched at once; 0 means DefaultParallel
	Limits   Limits       // zero means DefaultLimits
	Started  func(string) // called with each name that is fetched, one at a time; may be nil
	Progress func(Synced) // called once for each source, one at a time; may be nil
}

// Synced is what sync did with one source.
type Synced struct {
	Name     string        `json:"name"`
	Tag      string        `json:"tag,omitempty"`
	Commit   string        `json:"commit"`
	Fetched  bool          `json:"fetched"`         // false: it was at its pin, or failed
	Bytes    int64         `json:"bytes,omitempty"` // of git objects
	Duration time.Duration `json:"duration_ns"`
	Error    string        `json:"error,omitempty"`
}

// Sync brings the named sources, all for none, to their pins. Sources that are
// there already cost one small read. Failures of several sources are joined;
// the others are synced all the same.
func (s *Syncer) Sync(ctx context.Context, names []string) ([]Synced, error) {
	lock, err := Load(s.Root)
	if err != nil {
		return nil, missing(err)
	}
	picked, err := lock.pick(names)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(s.Root, Dir)
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return nil, hybridcore.Blockedf("%s is not a folder; nothing is written through a link", Dir)
	}
	results := make([]Synced, len(picked))
	var pending []int
	for i, source := range picked {
		results[i] = Synced{Name: source.Name, Tag: source.Tag, Commit: source.Commit}
		if source.pinned(dir, s.Force) {
			s.report(results[i])
		} else {
			pending = append(pending, i)
		}
	}
	if len(pending) == 0 {
		return results, nil
	}
	unlock, err := acquire(ctx, dir)
	if err != nil {
		return results, err
	}
	defer unlock()
	if err := removeTemporary(dir); err != nil {
		return results, err
	}
	return results, s.all(ctx, picked, pending, results)
}

// all fetches the pending sources in parallel.
func (s *Syncer) all(ctx context.Context, picked []Source, pending []int, results []Synced) error {
	parallel := s.Parallel
	if parallel <= 0 {
		parallel = DefaultParallel
	}
	slots := make(chan struct{}, parallel)
	var group sync.WaitGroup
	var mu sync.Mutex
	failures := make([]error, len(picked))
	for _, i := range pending {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			mu.Lock()
			if s.Started != nil {
				s.Started(picked[i].Name)
			}
			mu.Unlock()
			start := time.Now()
			size, err := s.one(ctx, picked[i])
			r := &results[i]
			r.Duration, r.Bytes, r.Fetched = time.Since(start), size, err == nil
			if err != nil {
				failures[i] = fmt.Errorf("source %s: %w", picked[i].Name, err)
				r.Error = err.Error()
			}
			mu.Lock()
			defer mu.Unlock()
			s.report(*r)
		})
	}
	group.Wait()
	return errors.Join(failures...)
}

func (s *Syncer) report(r Synced) {
	if s.Progress != nil {
		s.Progress(r)
	}
}

// pinned says whether a checkout stands at its pin, by its .git/HEAD alone, or
// by every file.
func (s Source) pinned(dir string, whole bool) bool {
	c := checkout(filepath.Join(dir, s.Name))
	if c.kind() != nil {
		return false
	}
	if head, err := c.head(); err != nil || head != s.Commit {
		return false
	}
	if !whole {
		return true
	}
	changes, err := c.changes(s.Commit)
	return err == nil && len(changes) == 0
}

// one fetches one source beside its destination and puts it in place.
func (s *Syncer) one(ctx context.Context, source Source) (size int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("syncing: %w", err)
	}
	dir := filepath.Join(s.Root, Dir)
	place := checkout(filepath.Join(dir, source.Name))
	if err := s.replaceable(place); err != nil {
		return 0, err
	}
	from, err := source.remote(s.Mirror)
	if err != nil {
		return 0, err
	}
	temp, err := os.MkdirTemp(dir, safefile.TempPrefix+source.Name+"-")
	if err != nil {
		return 0, fmt.Errorf("making room for the checkout: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }() // gone when it was renamed
	work, home := filepath.Join(temp, "checkout"), filepath.Join(temp, "home")
	if err := errors.Join(os.Mkdir(work, 0o755), os.Mkdir(home, 0o700)); err != nil {
		return 0, fmt.Errorf("making room for the checkout: %w", err)
	}
	g := git.Runner{Program: s.program(), Environ: s.Environ, Dir: work, Home: home, Local: from.local}
	limits := s.Limits
	if limits == (Limits{}) {
		limits = DefaultLimits()
	}
	if size, err = source.fetch(ctx, g, from, limits); err != nil {
		return 0, err
	}
	return size, place.replace(work)
}

func (s *Syncer) program() string {
	if s.Git == "" {
		return "git"
	}
	return s.Git
}

// replaceable refuses what must not be replaced: links, foreign folders and
// checkouts with changes.
func (s *Syncer) replaceable(place checkout) error {
	err := place.kind()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, errLink):
		return hybridcore.Blockedf("%s/%s %v; remove it", Dir, filepath.Base(string(place)), err)
	case s.Force:
		return nil
	}
	var changes []Change
	if err == nil {
		head, herr := place.head()
		if herr == nil {
			changes, herr = place.changes(head)
		}
		err = herr
	}
	name := Dir + "/" + filepath.Base(string(place))
	var forged *forgedError
	switch {
	case errors.Is(err, errForeign):
		return hybridcore.Blockedf("%s %v; move it away, or give --force to replace it", name, errForeign)
	case errors.As(err, &forged):
		return hybridcore.Blockedf("%s cannot be verified (%v); move it away, or give --force to replace it", name, err)
	case err != nil:
		return err
	case len(changes) > 0:
		return hybridcore.Blockedf("%s holds changes (%s); keep them elsewhere, then give --force to replace it", name,
			describe(changes))
	}
	return nil
}

// replace puts a finished checkout in place with one rename. The former one
// takes its place in the temporary folder.
func (c checkout) replace(work string) error {
	_, err := os.Lstat(string(c))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = os.Rename(work, string(c))
	case err == nil:
		err = exchange(work, string(c))
		if errors.Is(err, errors.ErrUnsupported) {
			err = exchangeSlowly(work, string(c))
		}
	}
	if err != nil {
		return fmt.Errorf("putting the checkout in place: %w", err)
	}
	return nil
}

// exchangeSlowly is for file systems without an atomic exchange: a kill
// between its two renames leaves no checkout, which the next sync makes.
func exchangeSlowly(work, place string) error {
	aside := work + ".former"
	if err := os.Rename(place, aside); err != nil {
		return err //nolint:wrapcheck // replace says it
	}
	if err := os.Rename(work, place); err != nil {
		return errors.Join(err, os.Rename(aside, place))
	}
	return nil
}

// acquire locks the folder of the sources against another sync. The kernel
// drops the lock with the process.
func acquire(ctx context.Context, dir string) (func(), error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", Dir, err)
	}
	deadline := time.Now().Add(lockWait)
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil // opened for reading
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", Dir, err), f.Close())
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(hybridcore.Blockedf("another `sources sync` works in %s; wait for it", Dir), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("waiting for another sync: %w", context.Cause(ctx)), f.Close())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// removeTemporary removes what a killed sync left.
func removeTemporary(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("reading %s: %w", Dir, err)
	}
	var failed error
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), safefile.TempPrefix) {
			failed = errors.Join(failed, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	if failed != nil {
		return fmt.Errorf("removing what an earlier sync left: %w", failed)
	}
	return nil
}
