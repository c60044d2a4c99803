// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:42:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-formatting
// Diagram: openspec/specs/static-validation/diagram.md#formatting

// Package format brings templates and variable files into canonical form.
package format

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// Formatter brings templates and variable files into canonical form.
type Formatter struct {
	Cache string // file that remembers canonical files by digest; empty for none
	Write bool   // change the files; otherwise only say what would change
}

// Formatted is one file that is not, or was not, in canonical form.
type Formatted struct {
	Path          string // as the paths given lead to it
	Before, After []byte
}

// formatting is one run of a Formatter.
type formatting struct {
	Formatter
	known   digests
	mu      sync.Mutex
	changed []Formatted
	found   []hybridcore.Finding
	fresh   []digest
}

// Run formats files and, below folders, every *.pkr.hcl and *.pkrvars.hcl.
// Hidden names and those of editors are left out, as by packer fmt; links are
// not followed. Files that cannot be read or parsed come joined as
// *hybridcore.FindingsError, after all others are done.
func (f Formatter) Run(ctx context.Context, paths []string) ([]Formatted, error) {
	run := &formatting{Formatter: f, known: readDigests(f.Cache)}
	folders, err := walk(ctx, paths)
	project.Parallel(len(folders), runtime.GOMAXPROCS(0), func(i int) { run.folder(folders[i]) })
	slices.SortFunc(run.changed, func(a, b Formatted) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(run.found, func(a, b hybridcore.Finding) int { return strings.Compare(a.File, b.File) })
	run.known.keep(f.Cache, run.fresh)
	if err == nil && len(run.found) > 0 {
		err = &hybridcore.FindingsError{Findings: run.found}
	}
	return run.changed, err
}

// shared is how many files of a folder one worker takes at a time.
const shared = 16

// folder is some files of one folder, by their names.
type folder struct {
	path  string
	names []string
}

// walk finds the files. With an error come those that were found before.
func walk(ctx context.Context, paths []string) ([]folder, error) {
	var found []folder
	add := func(path string) {
		dir, name := filepath.Split(path)
		if last := len(found) - 1; last >= 0 && found[last].path == dir && len(found[last].names) < shared {
			found[last].names = append(found[last].names, name)
			return
		}
		found = append(found, folder{dir, []string{name}})
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return found, hybridcore.Usagef("fmt: %v", err)
		}
		if !info.IsDir() {
			if !isHCL(path) {
				return found, hybridcore.Usagef("fmt: %s is neither *.pkr.hcl nor *.pkrvars.hcl", path)
			}
			add(path)
			continue
		}
		err = filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case ctx.Err() != nil:
				return ctx.Err()
			case at != path && isSkipped(entry.Name()):
				if entry.IsDir() {
					return fs.SkipDir
				}
			case entry.Type().IsRegular() && isHCL(at):
				add(at)
			}
			return nil
		})
		if err != nil {
			return found, fmt.Errorf("formatting %s: %w", path, err)
		}
	}
	return found, nil
}

func isHCL(path string) bool {
	return strings.HasSuffix(path, ".pkr.hcl") || strings.HasSuffix(path, ".pkrvars.hcl")
}

// isSkipped says whether packer fmt leaves a name out.
func isSkipped(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || strings.HasPrefix(name, "#") &&
		strings.HasSuffix(name, "#")
}

// folder formats the files of one folder.
func (r *formatting) folder(f folder) {
	var names []string
	var looks []digest
	for _, name := range f.names {
		if look := lookOf(f.path + name); !r.known.has(look) {
			names, looks = append(names, name), append(looks, look)
		}
	}
	if len(names) == 0 {
		return
	}
	root, err := os.OpenRoot(filepath.Clean(f.path))
	if err != nil {
		r.problems(f.path, err)
		return
	}
	defer root.Close() //nolint:errcheck // a directory handle
	for i, name := range names {
		if r.file(root, name, f.path+name) {
			r.canonical(looks[i])
		}
	}
}

// canonical keeps what tells a canonical file the next time.
func (r *formatting) canonical(sum digest) {
	if sum == (digest{}) {
		return
	}
	r.mu.Lock()
	r.fresh = append(r.fresh, sum)
	r.mu.Unlock()
}

// file formats one file, which path names for reports, and says whether it is
// canonical as it is.
func (r *formatting) file(root *os.Root, name, path string) bool {
	src, err := hclfile.Bytes(root, name, hclfile.Template())
	if err != nil {
		r.problems(path, err)
		return false
	}
	sum := digest(sha256.Sum256(src))
	if r.known.has(sum) {
		return true
	}
	out, err := validate.Format(src, name)
	switch {
	case err != nil:
		r.problems(path, err)
		return false
	case bytes.Equal(src, out):
		r.canonical(sum)
		return true
	case r.Write:
		info, err := root.Stat(name)
		if err == nil {
			err = safefile.ReplaceIn(root, name, out, info.Mode().Perm())
		}
		if err != nil {
			r.problems(path, err)
			return false
		}
	}
	r.mu.Lock()
	r.changed = append(r.changed, Formatted{Path: path, Before: src, After: out})
	r.mu.Unlock()
	return false
}

func (r *formatting) problems(path string, err error) {
	findings := hclfile.Findings(path, err)
	for i := range findings {
		findings[i].File, findings[i].Subject = path, path
	}
	r.mu.Lock()
	r.found = append(r.found, findings...)
	r.mu.Unlock()
}
