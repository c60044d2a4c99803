// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:22:52Z
// Spec: openspec/specs/sources/spec.md#requirement-checks-without-git
// Diagram: openspec/specs/sources/diagram.md#check-before-a-build

package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
)

// State is what a checkout was found to be.
type State string

// States of a checkout.
const (
	Pinned      State = "pinned"       // at its commit, unchanged
	Missing     State = "missing"      // never synced
	Dirty       State = "dirty"        // files differ from the commit
	WrongCommit State = "wrong-commit" // at another commit, or on a branch
	WrongRemote State = "wrong-remote" // its origin is not the pinned URL
	Unverified  State = "unverified"   // not made by sync, or its list of files was changed
	Link        State = "link"         // a symbolic link
	Unpinned    State = "unpinned"     // a folder that the lock does not know
)

// Status is one source and what was found of it.
type Status struct {
	Name    string   `json:"name"`
	State   State    `json:"state"`
	Tag     string   `json:"tag,omitempty"`
	Want    string   `json:"commit,omitempty"` // the pin
	Got     string   `json:"got,omitempty"`    // what is there instead
	Changes []Change `json:"changes,omitempty"`
}

// Inspect looks at every pinned source, and at what else lies in the folder.
// It starts no program, and reads no more than what it compares. A missing
// source is a finding that does not block. It gives a UsageError when there is
// no lock.
func Inspect(root string) ([]Status, []hybridcore.Finding, error) {
	lock, err := Load(root)
	if err != nil {
		return nil, nil, missing(err)
	}
	dir := filepath.Join(root, Dir)
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return nil, nil, hybridcore.Blockedf("%s is not a folder; a link is not followed", Dir)
	}
	statuses := make([]Status, len(lock.Sources))
	findings := make([][]hybridcore.Finding, len(lock.Sources))
	var group sync.WaitGroup
	for i, s := range lock.Sources {
		group.Go(func() { statuses[i], findings[i] = s.inspect(dir) })
	}
	group.Wait()
	extra, more, err := unpinned(dir, lock)
	if err != nil {
		return nil, nil, err
	}
	return append(statuses, extra...), append(slices.Concat(findings...), more...), nil
}

// Check is the gate of a build: what blocks it, and nothing about sources that
// are missing, for no template needs them. A project without a lock has none.
func Check(root string) []hybridcore.Finding {
	_, findings, err := Inspect(root)
	var carried *hybridcore.FindingsError
	switch {
	case errors.As(err, &carried):
		return carried.Findings
	case err != nil:
		if _, serr := os.Lstat(filepath.Join(root, filepath.FromSlash(LockPath))); errors.Is(serr, fs.ErrNotExist) {
			return nil
		}
		return []hybridcore.Finding{{
			Kind: KindSources, Subject: Dir, Message: hclfile.Printable(err.Error()), File: LockPath, Severity: hybridcore.Error,
			Blocking: true,
		}}
	}
	return slices.DeleteFunc(findings, func(f hybridcore.Finding) bool { return f.Severity == hybridcore.Info })
}

// inspect looks at one checkout.
func (s Source) inspect(dir string) (Status, []hybridcore.Finding) {
	c := checkout(filepath.Join(dir, s.Name))
	st := Status{Name: s.Name, State: Pinned, Tag: s.Tag, Want: s.Commit}
	head, err := "", c.kind()
	if err == nil {
		head, err = c.head()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.absent(st)
	case errors.Is(err, errLink):
		return s.found(st, Link, "", err.Error(), "remove the link")
	case err != nil:
		return s.found(st, Unverified, "", err.Error(), "move it away and run `packer-hybrid sources sync`")
	case head != s.Commit:
		got := strings.TrimPrefix(head, "ref: ")
		return s.found(st, WrongCommit, got, fmt.Sprintf("is at %.80s, not at the pinned %s", got, s.pin()),
			"run `packer-hybrid sources sync`")
	}
	changes, err := c.changes(s.Commit)
	switch {
	case err != nil:
		return s.found(st, Unverified, "", "cannot be verified: "+err.Error(),
			"keep elsewhere what you need of it, then run `packer-hybrid sources sync --force`")
	case len(changes) > 0:
		st.Changes = changes
		return s.found(st, Dirty, "", "holds changes: "+describe(changes),
			"keep elsewhere what you need of them, then run `packer-hybrid sources sync --force`")
	}
	return s.configured(st, c)
}

// configured compares .git/config with what sync wrote. It decides nothing
// about the files, but about what git would do in there.
func (s Source) configured(st Status, c checkout) (Status, []hybridcore.Finding) {
	config, err := c.read(maxHead, "config")
	if err == nil && string(config) == gitConfig(s.URL) {
		return st, nil
	}
	if origin := originOf(string(config)); origin != s.URL {
		origin = fmt.Sprintf("%.200s", origin)
		return s.found(st, WrongRemote, origin, fmt.Sprintf("has the origin %q, not the pinned %s", origin, s.URL),
			"remove the folder and run `packer-hybrid sources sync`")
	}
	f := s.finding("has a .git/config that sync did not write; git may run programs that it names",
		"look at it before you run git there, or remove the folder and run `packer-hybrid sources sync`")
	f.Severity, f.Blocking = hybridcore.Warning, false
	return st, []hybridcore.Finding{f}
}

// pin is the tag, if there is one, and the commit.
func (s Source) pin() string { return strings.TrimSpace(s.Tag + " " + s.Commit) }

func (s Source) absent(st Status) (Status, []hybridcore.Finding) {
	st.State = Missing
	f := s.finding("is missing", "run `packer-hybrid sources sync`")
	f.Severity, f.Blocking = hybridcore.Info, false
	return st, []hybridcore.Finding{f}
}

func (s Source) found(st Status, state State, got, message, hint string) (Status, []hybridcore.Finding) {
	st.State, st.Got = state, hclfile.Printable(got)
	f := s.finding(message, hint)
	f.Want, f.Got = s.Commit, st.Got
	return st, []hybridcore.Finding{f}
}

// unpinned lists folders and links that the lock does not know. Plain files do
// no harm, and what begins with the prefix of sync goes with the next sync.
func unpinned(dir string, lock Lock) ([]Status, []hybridcore.Finding, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", Dir, err)
	}
	var statuses []Status
	var findings []hybridcore.Finding
	for _, e := range entries {
		known := slices.ContainsFunc(lock.Sources, func(s Source) bool { return s.Name == e.Name() })
		if known || e.Type().IsRegular() || strings.HasPrefix(e.Name(), safefile.TempPrefix) {
			continue
		}
		name := hclfile.Printable(e.Name())
		statuses = append(statuses, Status{Name: name, State: Unpinned})
		findings = append(findings, hybridcore.Finding{
			Kind: KindSources, Subject: Dir + "/" + name, Message: fmt.Sprintf("%s/%s is pinned by nothing", Dir, name),
			Hint: "add a source block for it, or move it away", File: LockPath, Severity: hybridcore.Error, Blocking: true,
		})
	}
	return statuses, findings, nil
}

// Upstream asks where each tag points now and reports those that were moved.
// A server that cannot be asked is an error; errors are joined.
func (s *Syncer) Upstream(ctx context.Context) ([]hybridcore.Finding, error) {
	lock, err := Load(s.Root)
	if err != nil {
		return nil, missing(err)
	}
	home, err := os.MkdirTemp("", "packer-hybrid-sources-")
	if err != nil {
		return nil, fmt.Errorf("asking upstream: %w", err)
	}
	defer os.RemoveAll(home) //nolint:errcheck // empty
	findings := make([][]hybridcore.Finding, len(lock.Sources))
	failures := make([]error, len(lock.Sources))
	var group sync.WaitGroup
	for i, source := range lock.Sources {
		if source.Tag != "" {
			group.Go(func() { findings[i], failures[i] = s.askTag(ctx, source, home) })
		}
	}
	group.Wait()
	return slices.Concat(findings...), errors.Join(failures...)
}

// Moved asks where the tag of one source points now, and reports that it was moved.
func (s *Syncer) Moved(ctx context.Context, source Source) ([]hybridcore.Finding, error) {
	home, err := os.MkdirTemp("", "packer-hybrid-sources-")
	if err != nil {
		return nil, fmt.Errorf("asking upstream: %w", err)
	}
	defer os.RemoveAll(home) //nolint:errcheck // empty
	return s.askTag(ctx, source, home)
}

// askTimeout bounds one question about a tag.
const askTimeout = time.Minute

func (s *Syncer) askTag(ctx context.Context, source Source, home string) ([]hybridcore.Finding, error) {
	from, err := source.remote(s.Mirror)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	g := git.Runner{Program: s.program(), Environ: s.Environ, Dir: home, Home: home, Local: from.local}
	ref := "refs/tags/" + source.Tag
	out, err := g.Run(ctx, maxHead, "ls-remote", "--quiet", "--end-of-options", from.address, ref, ref+"^{}")
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", source.Name, err)
	}
	got := ""
	for line := range strings.Lines(string(out)) {
		if id, name, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok && strings.HasPrefix(name, ref) {
			got = hclfile.Printable(id) // the peeled one comes last
		}
	}
	if got == source.Commit {
		return nil, nil
	}
	message := fmt.Sprintf("is pinned at %s, but its tag points at %.40s now", source.pin(), got)
	if got == "" {
		message = fmt.Sprintf("is pinned at %s, but that tag is gone", source.pin())
	}
	f := source.finding(message, "look at both commits before you change the pin")
	f.Want, f.Got = source.Commit, got
	return []hybridcore.Finding{f}, nil
}
