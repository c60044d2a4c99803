// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:36:06Z
// Spec: openspec/specs/benchmarks/spec.md#requirement-both-sides-in-one-run
// Diagram: openspec/specs/benchmarks/diagram.md#both-sides-in-turn

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/upstreams"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
)

// bench is what both sides work on.
type bench struct {
	work         string
	mirror       string
	lock         []byte
	repositories []upstreams.Repository
}

// prepare makes or finds the repositories and the lock that pins them.
func prepare(ctx context.Context, work, mirror string) (*bench, error) {
	b := &bench{work: work, mirror: mirror}
	if mirror != "" {
		return b, b.own()
	}
	b.mirror = filepath.Join(work, "mirror")
	var err error
	b.repositories, b.lock, err = upstreams.Make(ctx, b.mirror)
	return b, err
}

// own takes the project's own lock and finds its repositories in the mirror.
func (b *bench) own() error {
	lock, err := sources.Load(".")
	if err != nil {
		return err
	}
	if b.lock, err = os.ReadFile(sources.LockPath); err != nil {
		return fmt.Errorf("reading the lock: %w", err)
	}
	if b.mirror, err = filepath.Abs(b.mirror); err != nil {
		return fmt.Errorf("finding the mirror: %w", err)
	}
	for _, s := range lock.Sources {
		found, err := filepath.Glob(filepath.Join(b.mirror, "*+"+strings.TrimSuffix(filepath.Base(s.URL), ".git"), "repo"))
		if err != nil || len(found) != 1 {
			return fmt.Errorf("the mirror has %d repositories for %s", len(found), s.Name)
		}
		b.repositories = append(b.repositories, upstreams.Repository{
			Name: s.Name, URL: s.URL, Commit: s.Commit, Dir: found[0],
		})
	}
	return nil
}

// project makes an empty project with the lock.
func (b *bench) project(root string) error {
	return errors.Join(
		os.RemoveAll(root), os.MkdirAll(filepath.Join(root, sources.Dir), 0o755),
		os.WriteFile(filepath.Join(root, filepath.FromSlash(sources.LockPath)), b.lock, 0o644))
}

// superproject makes a repository whose submodules are the same commits. They
// are taken through the transfer that a network would see, as sync does.
func (b *bench) superproject(ctx context.Context, dir string) error {
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return err
	}
	var modules strings.Builder
	args := []string{"update-index", "--add"}
	for _, r := range b.repositories {
		fmt.Fprintf(&modules, "[submodule %q]\n\tpath = sources/%s\n\turl = file://%s\n", r.Name, r.Name, r.Dir)
		args = append(args, "--cacheinfo", "160000,"+r.Commit+",sources/"+r.Name)
	}
	if err := os.WriteFile(filepath.Join(dir, ".gitmodules"), []byte(modules.String()), 0o644); err != nil {
		return err
	}
	for _, call := range [][]string{{"init", "--quiet"}, {"add", ".gitmodules"}, args} {
		if _, err := upstreams.Git(ctx, dir, call...); err != nil {
			return err
		}
	}
	return nil
}

// cloneBytes is the size of the objects of full clones.
func (b *bench) cloneBytes(ctx context.Context) (int64, error) {
	var total int64
	for _, r := range b.repositories {
		dir := filepath.Join(b.work, "clone")
		if _, err := upstreams.Git(ctx, b.work, "clone", "--quiet", "--no-checkout", "file://"+r.Dir, dir); err != nil {
			return 0, err
		}
		err := filepath.WalkDir(filepath.Join(dir, ".git", "objects"), func(_ string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil {
				total += info.Size()
			}
			return err
		})
		if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
			return 0, err
		}
	}
	return total, nil
}
