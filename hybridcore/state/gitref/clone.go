// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:55:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// tip is the ref in this clone.
const tip = "refs/state/tip"

// trailer begins the last line of a commit's message, which says how many the history has.
const trailer = "Commits: "

// prepare makes the empty clone.
func (r clone) prepare(ctx context.Context) error {
	if _, err := r.git(ctx, call{args: []string{"init", "--quiet", "--bare", "--template="}}); err != nil {
		return fmt.Errorf("preparing a clone of the state: %w", err)
	}
	return nil
}

// fetch asks the repository for the newest commit with its folders. Of the files it asks for none: a change needs
// none, and who asks for less is ready before others are.
func (b *Backend) fetch(ctx context.Context) error {
	err := b.fetchRef(ctx, 1)
	if noRef(err) {
		b.now, b.seen = &view{objects: map[string]string{}}, time.Now()
		return nil
	}
	if err != nil {
		return err
	}
	commit, err := b.clone.line(ctx, call{args: []string{"rev-parse", "--verify", tip}})
	if err != nil {
		return err
	}
	if b.now == nil || commit != b.now.commit {
		if b.now, err = b.viewAt(ctx, commit); err != nil {
			return err
		}
	}
	b.seen = time.Now()
	return nil
}

// fetchRef fetches so many of the newest commits, with their folders.
func (b *Backend) fetchRef(ctx context.Context, depth int) error {
	_, err := b.clone.git(ctx, call{args: []string{
		"fetch", "--quiet", fmt.Sprintf("--depth=%d", depth), "--filter=blob:none", "--no-tags", "--no-write-fetch-head",
		"origin", "+" + b.o.Ref + ":" + tip,
	}})
	b.requests.Add(1)
	return err
}

// viewAt reads the names of a commit's files.
func (b *Backend) viewAt(ctx context.Context, commit string) (*view, error) {
	list, err := b.clone.git(ctx, call{args: []string{"ls-tree", "-r", "-z", "--full-tree", commit}})
	if err != nil {
		return nil, err
	}
	v := &view{commit: commit, objects: map[string]string{}}
	for record := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		file, ok := git.ParseEntry(record, false)
		if !ok || file.Mode != git.ModeFile || state.CheckObject(file.Path) != nil {
			continue // somebody else's: it is no object of the state, and stays
		}
		v.objects[file.Path] = file.ID
		v.names = append(v.names, file.Path)
	}
	message, err := b.clone.git(ctx, call{args: []string{"log", "-1", "--format=%B", commit}})
	if err != nil {
		return nil, err
	}
	if _, number, found := strings.Cut(string(message), "\n"+trailer); found {
		v.commits, _ = strconv.Atoi(strings.TrimSpace(number)) // somebody else's commit counts as the first
	}
	return v, nil
}

// everyday are the objects of the newest snapshot and the newest leases, which nearly every command reads.
func (v *view) everyday() []string {
	newest := map[string]string{}
	for _, name := range v.names {
		if strings.HasPrefix(name, "snapshot/") || strings.HasPrefix(name, "leases/") {
			newest[path.Dir(name)] = name // they are in order
		}
	}
	var all []string
	for _, name := range newest {
		all = append(all, v.objects[name])
	}
	return all
}

// fetchFiles asks for files that this clone has not asked for, in one request. A
// server that takes no filter has sent all of them already.
func (b *Backend) fetchFiles(ctx context.Context, objects []string) error {
	var ask bytes.Buffer
	for _, id := range objects {
		if !b.have[id] {
			ask.WriteString(id + "\n")
		}
	}
	if ask.Len() == 0 {
		return nil
	}
	_, err := b.clone.git(ctx, call{args: []string{
		"-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
		"--filter=blob:none", "--stdin", "origin",
	}, input: ask.Bytes()})
	b.requests.Add(1)
	if err != nil {
		return err
	}
	for _, id := range objects {
		b.have[id] = true
	}
	return nil
}

// read reads a file, which git asks the repository for when it is not there.
func (b *Backend) read(ctx context.Context, id string) ([]byte, error) {
	if err := b.fetchFiles(ctx, []string{id}); err != nil {
		return nil, err
	}
	out, err := b.clone.git(ctx, call{args: []string{"cat-file", "--batch"}, input: []byte(id + "\n")})
	if err != nil {
		return nil, err
	}
	line, rest, _ := bytes.Cut(out, []byte("\n"))
	fields := strings.Fields(string(line))
	if len(fields) != 3 || fields[0] != id || fields[1] != "blob" {
		return nil, state.FormError(fmt.Sprintf("git says of it %.80q", line))
	}
	size, err := strconv.Atoi(fields[2])
	if err != nil || size < 0 || size >= len(rest) {
		return nil, errors.New("git answered less than it announced")
	}
	if size > state.MaxObject {
		return nil, state.TooLarge(int64(size))
	}
	return bytes.Clone(rest[:size]), nil
}
