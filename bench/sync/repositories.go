// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:36:06Z
// Spec: openspec/specs/benchmarks/spec.md#requirement-both-sides-in-one-run
// Diagram: openspec/specs/benchmarks/diagram.md#both-sides-in-turn

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
)

// Size of a generated repository, after the mean of the five that the project
// pins: 1,450 commits with 11,000 objects, 280 files, 0.53 MiB at its tip and
// 2.9 MiB in all.
const (
	repositories = 5
	commits      = 1450
	files        = 280
	changed      = 3  // files that each commit edits
	lines        = 52 // of a file
	edited       = 6  // lines of a file that an edit replaces
	lineBytes    = 32
)

// repository is one that is pinned.
type repository struct {
	name, url, commit string
	dir               string // where the mirror has it
}

// bench is what both sides work on.
type bench struct {
	work         string
	mirror       string
	lock         []byte
	repositories []repository
}

// prepare makes or finds the repositories and the lock that pins them.
func prepare(ctx context.Context, work, mirror string) (*bench, error) {
	b := &bench{work: work, mirror: mirror}
	if mirror != "" {
		return b, b.own()
	}
	b.mirror = filepath.Join(work, "mirror")
	for i := range repositories {
		name := fmt.Sprintf("upstream-%d", i)
		r := repository{
			name: name, url: "https://github.com/example/" + name + ".git",
			dir: filepath.Join(b.mirror, name+".git"),
		}
		var err error
		if r.commit, err = generate(ctx, r.dir, uint64(i)); err != nil {
			return nil, fmt.Errorf("making a repository: %w", err)
		}
		b.repositories = append(b.repositories, r)
		b.lock = fmt.Appendf(b.lock, "source %q {\n  url = %q\n  tag = \"v1\"\n  commit = %q\n}\n", name, r.url, r.commit)
	}
	return b, nil
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
		b.repositories = append(b.repositories, repository{s.Name, s.URL, s.Commit, found[0]})
	}
	return nil
}

// generate makes a bare repository through git fast-import: text files of
// which each commit rewrites a few. It returns the last commit, tagged v1.
func generate(ctx context.Context, dir string, seed uint64) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if _, err := git(ctx, dir, "init", "--quiet", "--bare", "--initial-branch=main"); err != nil {
		return "", err
	}
	random := rand.New(rand.NewPCG(seed, 1))
	var tree [files][lines]string
	var in bytes.Buffer
	for n := range commits {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter a <a@example.com> %d +0000\ndata 1\nc\n", 1_700_000_000+n)
		if n == 0 {
			for file := range files {
				edit(&in, random, tree[file][:], file, lines)
			}
			continue
		}
		for range changed {
			file := random.IntN(files)
			edit(&in, random, tree[file][:], file, edited)
		}
	}
	in.WriteString("tag v1\nfrom refs/heads/main\ntagger a <a@example.com> 1800000000 +0000\ndata 1\nt\n")
	cmd := exec.CommandContext(ctx, "git", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = dir, &in
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("git fast-import: %w: %s", err, out)
	}
	if _, err := git(ctx, dir, "repack", "-a", "-d", "-f", "--quiet"); err != nil { // as a forge keeps it
		return "", err
	}
	return git(ctx, dir, "rev-parse", "main")
}

// edit replaces lines of a file, all of them at first, and writes it.
func edit(in *bytes.Buffer, random *rand.Rand, text []string, file, count int) {
	for i := range count {
		line := make([]byte, lineBytes)
		for j := range line {
			line[j] = byte(random.Uint32())
		}
		if count < len(text) {
			i = random.IntN(len(text))
		}
		text[i] = hex.EncodeToString(line)
	}
	content := strings.Join(text, "\n")
	fmt.Fprintf(in, "M 100644 inline folder-%d/file-%d.txt\ndata %d\n%s\n", file%10, file, len(content), content)
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
		fmt.Fprintf(&modules, "[submodule %q]\n\tpath = sources/%s\n\turl = file://%s\n", r.name, r.name, r.dir)
		args = append(args, "--cacheinfo", "160000,"+r.commit+",sources/"+r.name)
	}
	if err := os.WriteFile(filepath.Join(dir, ".gitmodules"), []byte(modules.String()), 0o644); err != nil {
		return err
	}
	for _, call := range [][]string{{"init", "--quiet"}, {"add", ".gitmodules"}, args} {
		if _, err := git(ctx, dir, call...); err != nil {
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
		if _, err := git(ctx, b.work, "clone", "--quiet", "--no-checkout", "file://"+r.dir, dir); err != nil {
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

// git is git as people run it.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "protocol.file.allow=always"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
