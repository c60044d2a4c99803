// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:03:33Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#put-in-a-directory

package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// maxEntries bounds how many entries of one folder are listed.
const maxEntries = 1 << 20

// Directory is the backend in a directory of this host: an object is a file of
// its name. Several processes may use it.
type Directory struct {
	disk

	writes bool // it was not opened to read it only
}

// New opens a directory, which it creates (mode 0700) when it is
// missing, and removes what a killed writer left. A path that is no directory is
// a UsageError.
func New(dir string) (*Directory, error) {
	if dir == "" {
		return nil, hybridcore.Usagef("the state directory's path is empty")
	}
	dir = filepath.Clean(dir)
	if err := makeDirs(dir); err != nil {
		return nil, err
	}
	d, err := view(dir)
	if err == nil {
		d.writes = true
		d.clean()
	}
	return d, err
}

// view opens a directory and leaves it as it is.
func view(dir string) (*Directory, error) {
	dir = filepath.Clean(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the state directory: %w", err)
	}
	return &Directory{disk: disk{path: dir, root: root}}, nil
}

// Get returns an object.
func (d *Directory) Get(ctx context.Context, name string) ([]byte, error) {
	if err := state.CheckObject(name); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if err := d.noLinks(path.Dir(name)); err != nil {
		return nil, err
	}
	return d.readFile(name)
}

// List yields in order the names of the objects below a folder, as they are at
// one moment: no writer is at work meanwhile.
func (d *Directory) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		unlock, err := d.share(ctx)
		if err != nil {
			yield("", err)
			return
		}
		names, err := d.names(ctx, path.Clean(folder))
		unlock()
		for _, name := range names {
			if folder == "" && kept(name) {
				continue
			}
			if !yield(name, nil) {
				return
			}
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			yield("", err)
		}
	}
}

// names lists what is in a folder and below, in the order of whole names.
func (d disk) names(ctx context.Context, folder string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("listing %s: %w", folder, err)
	}
	if err := d.noLinks(folder); err != nil {
		return nil, err
	}
	entries, err := d.entries(folder)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			below, err := d.names(ctx, name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			all = append(all, below...)
		default:
			all = append(all, name)
		}
	}
	return all, nil
}

// entries reads a folder.
func (d disk) entries(folder string) ([]fs.DirEntry, error) {
	f, err := d.root.OpenFile(folder, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0) // no pipe is waited for
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, state.FormError(folder + " is not a folder")
	}
	if err != nil {
		return nil, fmt.Errorf("opening a folder: %w", err)
	}
	defer func() { _ = f.Close() }() // read only
	all, err := f.ReadDir(maxEntries + 1)
	switch {
	case len(all) > maxEntries:
		return nil, state.FormError(fmt.Sprintf("%s has more than %d files", folder, maxEntries))
	case err != nil && len(all) > 0, err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("reading a folder: %w", err)
	}
	key := func(e fs.DirEntry) string {
		if e.IsDir() {
			return e.Name() + "/"
		}
		return e.Name()
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(key(a), key(b)) })
	return all, nil
}

// Put stores an object.
func (d *Directory) Put(ctx context.Context, name string, data []byte) error {
	if err := state.CheckPut(name, data); err != nil {
		return err
	}
	unlock, err := d.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	err = d.place(name, data)
	if err == nil {
		if err = d.syncDir(path.Dir(name)); err != nil {
			err = errors.Join(err, d.root.Remove(name))
		}
	}
	return d.writeError("writing "+name, err)
}

// Delete removes an object, and the folder that it leaves empty.
func (d *Directory) Delete(ctx context.Context, name string) error {
	if err := state.CheckObject(name); err != nil {
		return err
	}
	unlock, err := d.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	folder := path.Dir(name)
	err = d.noLinks(folder)
	if err == nil {
		err = d.root.Remove(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && path.Dir(folder) != "." && d.root.Remove(folder) == nil {
		folder = path.Dir(folder)
	}
	if err == nil {
		err = d.syncDir(folder)
	}
	return d.writeError("removing "+name, err)
}

// Where is the path of an object.
func (d *Directory) Where(name string) string { return filepath.Join(d.path, filepath.FromSlash(name)) }

// Copy is the command that copies one.
func (d *Directory) Copy(from, to string) string { return copyCommand(d.Where(from), d.Where(to)) }

// Store is the state that the directory holds.
func (d *Directory) Store() *state.Store {
	return state.New(d, state.Capabilities{Liveness: d, Guide: d})
}
