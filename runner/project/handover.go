// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:09:05Z
// Spec: openspec/specs/runner/spec.md#requirement-parts-of-a-release-are-not-trusted
// Diagram: openspec/specs/runner/diagram.md#release-in-phases

package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Bounds of what jobs hand over. GitHub runs at most 256 jobs of a matrix; each
// part brings its folder, and the action that fetches them one around it.
const (
	MaxParts    = 4096
	MaxEntries  = 1 << 16
	MaxDepth    = 4 // folders below the one that was named
	MaxPartURIs = 64
	MaxClock    = 10 * time.Minute // that two machines may differ by
)

// JobPin is what a job of several is about: what other jobs hand over must be of
// the same run of the CI system and commit, and of what this job is asked for.
type JobPin struct {
	Run    string
	Commit string
	Asked  hybridcore.Request
	// Plan is the digest of the plan of the release, when it came to the job in
	// another way than with the files; empty for not.
	Plan string
}

// Made refuses what a job made of another run or commit than this job is about.
func (p JobPin) Made(run, commit string) error {
	switch {
	case run != p.Run:
		return hybridcore.Blockedf("it is of the run %.40q, and this is the run %.40q", run, p.Run)
	case commit != p.Commit:
		return hybridcore.Blockedf("it was made at commit %.12q, and this checkout is at %.12q", commit, p.Commit)
	}
	return nil
}

// Handed is a file of another job.
type Handed struct {
	Path string
	Data []byte
}

// HandedOver reads the files at or below a folder whose names are wanted. Links
// are not followed, and two files of one name are refused. A folder that is not
// there has none: nothing was handed over.
func HandedOver(dir string, wanted func(name string) bool) (map[string]*Handed, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening what other jobs handed over: %w", err)
	}
	defer root.Close() //nolint:errcheck // only read
	found, entries := map[string]*Handed{}, 0
	err = fs.WalkDir(root.FS(), ".", func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		switch entries++; {
		case entries > MaxEntries:
			return hybridcore.Blockedf("%s holds too many files to be what jobs handed over", dir)
		case entry.IsDir() && strings.Count(at, "/") > MaxDepth:
			return fs.SkipDir
		case entry.IsDir() || !wanted(name):
			return nil
		case found[name] != nil:
			return hybridcore.Blockedf("%s is handed over twice, as %.400q and as %.400q: hand over one of them", name,
				found[name].Path, at)
		}
		data, err := safefile.ReadIn(root, at, state.MaxSealed)
		if err != nil {
			return RefusedFile(filepath.Join(dir, at), err)
		}
		found[name] = &Handed{Path: filepath.Join(dir, at), Data: data}
		return nil
	})
	return found, err //nolint:wrapcheck // it names the path
}

// RefusedFile is the error of a file that another job handed over.
func RefusedFile(path string, err error) error {
	return &hybridcore.BlockedError{Msg: fmt.Sprintf("%.400q is refused", path), Err: err}
}
