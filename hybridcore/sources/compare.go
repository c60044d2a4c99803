// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:18:44Z
// Spec: openspec/specs/sources/spec.md#requirement-checks-without-git
// Diagram: openspec/specs/sources/diagram.md#chain-of-trust

package sources

import (
	"crypto/sha1" //nolint:gosec // git's own object names; the pin is one
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
)

// maxChanges is how many differences of one checkout are named.
const maxChanges = 20

// Change is one difference between a checkout and its pinned commit.
type Change struct {
	Kind string `json:"kind"` // changed, mode, deleted, new
	Path string `json:"path"` // slash-separated, within the checkout
}

// errEnough ends a walk when enough differences are known.
var errEnough = errors.New("enough differences")

// comparison is one checkout being compared with the files of its commit.
type comparison struct {
	dir     string
	files   map[string]git.Entry
	folders map[string]bool
	seen    map[string]bool
	content []git.Entry // whose bytes are still to be compared
	changes []Change
}

// compare lists how the files below dir differ from the entries: the first
// maxChanges, in the order of their paths. It opens nothing but regular files
// of the right size.
func compare(dir string, entries []git.Entry) ([]Change, error) {
	c := &comparison{dir: dir, files: map[string]git.Entry{}, folders: map[string]bool{}, seen: map[string]bool{}}
	for _, e := range entries {
		c.files[e.Path] = e
		for at := strings.LastIndexByte(e.Path, '/'); at > 0; at = strings.LastIndexByte(e.Path[:at], '/') {
			if c.folders[e.Path[:at]] {
				break
			}
			c.folders[e.Path[:at]] = true
		}
	}
	if err := c.walk(""); err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	if len(c.changes) < maxChanges {
		if err := c.compareContent(); err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !c.seen[e.Path] && e.Mode != git.ModeModule {
				c.changes = append(c.changes, Change{"deleted", e.Path})
			}
		}
	}
	slices.SortFunc(c.changes, func(a, b Change) int { return strings.Compare(a.Path, b.Path) })
	return c.changes[:min(len(c.changes), maxChanges)], nil
}

func (c *comparison) note(kind, path string) error {
	c.changes = append(c.changes, Change{kind, path})
	if len(c.changes) >= maxChanges {
		return errEnough
	}
	return nil
}

// walk visits one folder; rel is empty or ends with a slash.
func (c *comparison) walk(rel string) error {
	entries, err := os.ReadDir(filepath.Join(c.dir, filepath.FromSlash(rel)))
	if err != nil {
		return fmt.Errorf("reading a checkout: %w", err)
	}
	for _, found := range entries {
		path := rel + found.Name()
		if path == ".git" {
			continue
		}
		want, known := c.files[path]
		switch {
		case found.IsDir() && c.folders[path]:
			err = c.walk(path + "/")
		case found.IsDir() && (!known || want.Mode == git.ModeModule):
			err = c.folder(path)
		case !known:
			err = c.note("new", path)
		default:
			c.seen[path] = true
			err = c.file(found, want)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// folder takes a folder that the commit does not have, or has as a submodule:
// it may be there, empty.
func (c *comparison) folder(path string) error {
	inside, err := os.ReadDir(filepath.Join(c.dir, filepath.FromSlash(path)))
	if err != nil {
		return fmt.Errorf("reading a checkout: %w", err)
	}
	if len(inside) > 0 {
		return c.note("new", path+"/")
	}
	return nil
}

func (c *comparison) file(found fs.DirEntry, want git.Entry) error {
	info, err := found.Info()
	if err != nil {
		return fmt.Errorf("reading a checkout: %w", err)
	}
	link := info.Mode()&fs.ModeSymlink != 0
	switch {
	case link != (want.Mode == git.ModeLink), !link && !info.Mode().IsRegular(), info.Size() != want.Size:
		return c.note("changed", want.Path)
	case !link && (info.Mode()&0o100 != 0) != (want.Mode == git.ModeProgram):
		return c.note("mode", want.Path)
	}
	c.content = append(c.content, want)
	return nil
}

// compareContent hashes the files that look right, on all processors.
func (c *comparison) compareContent() error {
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	workers := min(runtime.GOMAXPROCS(0), 8)
	for n := range workers {
		group.Go(func() {
			buffer := make([]byte, 64<<10)
			for i := n; i < len(c.content); i += workers {
				want := c.content[i]
				got, err := fileID(filepath.Join(c.dir, filepath.FromSlash(want.Path)), want, buffer)
				if err == nil && got == want.ID {
					continue
				}
				mu.Lock()
				failed = errors.Join(failed, err)
				if err == nil {
					c.changes = append(c.changes, Change{"changed", want.Path})
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return failed
}

// fileID is the name of the object that a file or link would be. A file that
// changes its kind or size meanwhile gets a name that fits nothing.
func fileID(path string, want git.Entry, buffer []byte) (string, error) {
	if want.Mode == git.ModeLink {
		target, err := os.Readlink(path)
		if err != nil {
			return "", nil // it is no link any more: a difference
		}
		return git.ObjectID("blob", []byte(target)), nil
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", fmt.Errorf("reading a checkout: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	h := sha1.New() //nolint:gosec // git's object names
	fmt.Fprintf(h, "blob %d\x00", want.Size)
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{io.LimitReader(f, want.Size+1)}, buffer); err != nil {
		return "", fmt.Errorf("reading a checkout: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
