// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:16:27Z
// Spec: openspec/specs/sources/spec.md#requirement-the-lock-file
// Diagram: openspec/specs/sources/diagram.md#chain-of-trust

// Package sources pins the upstream repositories and plugin binaries of a
// project, fetches the repositories at exactly their pins, and checks what
// lies in sources/ without starting git or trusting anything in it.
package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Names below the project root.
const (
	Dir      = "sources"          // holds the checkouts, and nothing else but the files below
	LockFile = "sources.lock.hcl" // in Dir
)

// LockPath is the lock, relative to the project root.
const LockPath = Dir + "/" + LockFile

// KindSources is the kind of every finding about a checkout.
const KindSources = "sources"

// KindPlugin is the kind of every finding about a plugin binary.
const KindPlugin = "plugin"

// Lock is the content of the lock file.
type Lock struct {
	Hosts   []string // that a URL may name, with a port if it has one
	Sources []Source // in the order of the file
	Plugins []Plugin // in the order of the file
}

// Source is one pinned repository.
type Source struct {
	Name   string // of its folder below Dir
	URL    string // https, without user, query or escapes
	Tag    string // may be empty: then only the commit counts
	Commit string // 40 hex digits
	Line   int    // of its block
}

// Plugin is one pinned Packer plugin.
type Plugin struct {
	Address  string              // e.g. github.com/hashicorp/vsphere
	Version  string              // without a leading v
	Binaries map[string][]string // OS_ARCH → accepted sha256, hex
	Line     int                 // of its block
}

// Load reads the lock of the project at root. A missing lock gives an error
// that is fs.ErrNotExist; everything that is wrong in it comes as
// *hybridcore.FindingsError.
func Load(root string) (Lock, error) {
	return lockOf(read(root))
}

// LoadFS is like Load, from a project's tree of any kind.
func LoadFS(tree fs.FS) (Lock, error) {
	return lockOf(readFS(tree))
}

func lockOf(file *hclfile.File, err error) (Lock, error) {
	if err != nil {
		return Lock{}, err
	}
	lock, findings := decode(file)
	if len(findings) > 0 {
		return Lock{}, &hybridcore.FindingsError{Findings: findings}
	}
	return lock, nil
}

func read(root string) (*hclfile.File, error) {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, fmt.Errorf("opening the project: %w", err)
	}
	defer dir.Close() //nolint:errcheck // only read
	return readFS(hclfile.Folder(dir))
}

func readFS(tree fs.FS) (*hclfile.File, error) {
	file, err := hclfile.ReadFS(tree, LockPath, limit())
	if err != nil {
		return nil, fmt.Errorf("reading the lock of the sources: %w", err)
	}
	return file, nil
}

// limit is that of a project file.
func limit() hclfile.Limit {
	l := hclfile.Project()
	l.Kind = "lock file"
	return l
}

// missing turns a missing lock into advice.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return hybridcore.Usagef("no %s here; run `packer-hybrid init`, which writes one and leaves other files as they are",
			LockPath)
	}
	return err
}

// pick returns the sources of these names, all for none, or a UsageError.
func (l Lock) pick(names []string) ([]Source, error) {
	if len(names) == 0 {
		return l.Sources, nil
	}
	var known []string
	for _, s := range l.Sources {
		known = append(known, s.Name)
	}
	var picked []Source
	for _, name := range names {
		i := slices.Index(known, name)
		if i < 0 {
			return nil, hybridcore.Usagef("%s pins no source %.80q%s; it pins: %s", LockPath, name,
				text.DidYouMean(name, known), join(known))
		}
		if !slices.Contains(picked, l.Sources[i]) {
			picked = append(picked, l.Sources[i])
		}
	}
	return picked, nil
}

// finding makes a blocking finding about a checkout, at its block in the lock.
func (s Source) finding(message, hint string) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: KindSources, Subject: path.Join(Dir, s.Name),
		Message: path.Join(Dir, s.Name) + " " + hclfile.Printable(message), Hint: hclfile.Printable(hint),
		File: LockPath, Line: s.Line, Severity: hybridcore.Error, Blocking: true,
	}
}
