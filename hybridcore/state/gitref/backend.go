// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:55:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// fresh is how long what was seen of the repository is taken as it is now. What a
// change rests on does not depend on it: its push fails when the ref has moved.
const fresh = time.Second

// New prepares a clone, which Close removes. The repository is not asked for
// anything yet.
func New(ctx context.Context, o Options) (*Backend, error) {
	o.Ref = cmp.Or(o.Ref, DefaultRef)
	if err := CheckRepository(o.Repository, o.Local); err != nil {
		return nil, err
	}
	if err := CheckRef(o.Ref); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.Dir, "packer-hybrid-state-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the state: %w", err)
	}
	b := &Backend{o: o, clone: clone{o, dir}, one: make(sole, 1), have: map[string]bool{}}
	if err := b.clone.prepare(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// Close removes the clone.
func (b *Backend) Close() error {
	if err := os.RemoveAll(b.clone.dir); err != nil {
		return fmt.Errorf("removing the clone of the state: %w", err)
	}
	return nil
}

// Requests is how often git has reached the repository, for measurements.
func (b *Backend) Requests() int { return int(b.requests.Load()) }

// Get implements state.Reader.
func (b *Backend) Get(ctx context.Context, name string) ([]byte, error) {
	if err := state.CheckObject(name); err != nil {
		return nil, err
	}
	if err := b.one.enter(ctx); err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	defer b.one.leave()
	id, there := "", false
	if b.now != nil {
		id, there = b.now.objects[name]
	}
	if !there { // an object that is there is never another one
		if err := b.refresh(ctx); err != nil {
			return nil, explained("reading "+name, err)
		}
		if id, there = b.now.objects[name]; !there {
			return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
		}
	}
	data, err := b.read(ctx, id)
	if err != nil {
		return nil, explained("reading "+name, err)
	}
	return data, nil
}

// List implements state.Reader.
func (b *Backend) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		names, err := b.list(ctx)
		if err != nil {
			yield("", explained("listing "+folder, err))
			return
		}
		at, _ := slices.BinarySearch(names, folder)
		for _, name := range names[at:] {
			if !strings.HasPrefix(name, folder) || !yield(name, nil) {
				return
			}
		}
	}
}

func (b *Backend) list(ctx context.Context) ([]string, error) {
	if err := b.one.enter(ctx); err != nil {
		return nil, err
	}
	defer b.one.leave()
	if err := b.refresh(ctx); err != nil {
		return nil, err
	}
	return b.now.names, nil
}

// refresh looks at the repository, unless that was just done, and asks for the files that nearly every command reads.
func (b *Backend) refresh(ctx context.Context) error {
	if b.now != nil && time.Since(b.seen) < fresh {
		return nil
	}
	was := b.now
	ask := func() error {
		if err := b.fetch(ctx); err != nil || b.now == was {
			return err
		}
		return b.fetchFiles(ctx, b.now.everyday())
	}
	err := ask()
	for pause := 10 * firstPause; passes(err) && !errors.Is(err, errLate) && pause <= longPause; pause *= 2 {
		if err := rest(ctx, pause); err != nil {
			return err
		}
		err = ask()
	}
	return err
}

// Put implements state.Writer.
func (b *Backend) Put(ctx context.Context, name string, data []byte) error {
	return b.put(ctx, name, map[string][]byte{name: data})
}

// collides refuses a name that is a folder of others, or lies below an object.
func (v *view) collides(name string) error {
	at, _ := slices.BinarySearch(v.names, name+"/")
	if at < len(v.names) && strings.HasPrefix(v.names[at], name+"/") {
		return state.FormError(name + " is a folder")
	}
	for i, r := range name {
		if _, there := v.objects[name[:i]]; r == '/' && there {
			return state.FormError(name[:i] + " is no folder")
		}
	}
	return nil
}

// Delete implements state.Writer.
func (b *Backend) Delete(ctx context.Context, name string) error {
	if err := state.CheckObject(name); err != nil {
		return err
	}
	if err := b.one.enter(ctx); err != nil {
		return fmt.Errorf("removing %s: %w", name, err)
	}
	defer b.one.leave()
	err := b.refresh(ctx)
	if err == nil {
		err = b.change(ctx, func(v *view) ([]edit, error) {
			if _, there := v.objects[name]; !there {
				return nil, nil
			}
			return []edit{{name: name}}, nil
		})
	}
	if err != nil {
		return explained("removing "+name, err)
	}
	return nil
}

// Where implements state.Guide.
func (b *Backend) Where(name string) string {
	if name == "" {
		return b.o.Ref + " of " + Shown(b.o.Repository)
	}
	return name + " in " + b.o.Ref + " of " + Shown(b.o.Repository)
}

// Copy implements state.Guide.
func (b *Backend) Copy(from, to string) string { return "packer-hybrid state copy " + from + " " + to }
