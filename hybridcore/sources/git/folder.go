// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:43:57Z
// Spec: openspec/specs/plan/spec.md#requirement-difference-to-a-commit
// Diagram: openspec/specs/plan/diagram.md#two-trees

package git

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// maxLinks bounds how many links one path may pass, as in the kernel.
const maxLinks = 40

// node is a file, link or folder of a commit's tree. A folder is an fs.FS whose
// links do not lead out of it.
type node struct {
	name    string
	mode    fs.FileMode
	content []byte // of a file; the target of a link
	nodes   map[string]*node
}

func newFolder() *node { return &node{name: ".", mode: fs.ModeDir | 0o755, nodes: map[string]*node{}} }

// add puts a file of git's mode at a path that parseTree took.
func (n *node) add(file, mode string, content []byte) {
	dir, base := path.Split(file)
	at := n
	for name := range strings.SplitSeq(strings.TrimSuffix(dir, "/"), "/") {
		if name == "" {
			continue
		}
		next := at.nodes[name]
		if next == nil || !next.mode.IsDir() {
			next = newFolder()
			next.name = name
			at.nodes[name] = next
		}
		at = next
	}
	leaf := &node{name: base, mode: 0o644, content: content}
	switch mode {
	case ModeProgram:
		leaf.mode = 0o755
	case ModeLink:
		leaf.mode = fs.ModeSymlink | 0o777
	}
	at.nodes[base] = leaf
}

// Open implements fs.FS.
func (n *node) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	found, err := n.find(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &opened{named: named{found, path.Base(name)}, Reader: bytes.NewReader(found.content)}, nil
}

// Sub implements fs.SubFS: links of the sub-tree do not lead out of it.
func (n *node) Sub(dir string) (fs.FS, error) {
	if !fs.ValidPath(dir) {
		return nil, &fs.PathError{Op: "sub", Path: dir, Err: fs.ErrInvalid}
	}
	found, err := n.find(dir)
	if err == nil && !found.mode.IsDir() {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, &fs.PathError{Op: "sub", Path: dir, Err: err}
	}
	return found, nil
}

// find walks to a path and follows links, which must stay below n.
func (n *node) find(name string) (*node, error) {
	at := []*node{n} // the folders from n down to here
	todo := strings.Split(name, "/")
	for links := 0; len(todo) > 0; {
		step := todo[0]
		todo = todo[1:]
		here := at[len(at)-1]
		switch {
		case step == "." || step == "":
			continue
		case !here.mode.IsDir():
			return nil, fs.ErrNotExist
		case step == "..":
			if len(at) == 1 {
				return nil, syscall.EXDEV // as os.Root says it
			}
			at = at[:len(at)-1]
			continue
		}
		next := here.nodes[step]
		switch {
		case next == nil:
			return nil, fs.ErrNotExist
		case next.mode&fs.ModeSymlink == 0:
			at = append(at, next)
			continue
		}
		target := string(next.content)
		if links++; links > maxLinks {
			return nil, syscall.ELOOP
		}
		if path.IsAbs(target) {
			return nil, syscall.EXDEV
		}
		todo = append(strings.Split(target, "/"), todo...)
	}
	return at[len(at)-1], nil
}

// named is a node under the name it was opened by: as fs.FileInfo and fs.DirEntry.
type named struct {
	*node
	as string
}

func (i named) Name() string               { return i.as }
func (i named) Size() int64                { return int64(len(i.content)) }
func (i named) Mode() fs.FileMode          { return i.mode }
func (i named) Type() fs.FileMode          { return i.mode.Type() }
func (i named) ModTime() time.Time         { return time.Time{} }
func (i named) IsDir() bool                { return i.mode.IsDir() }
func (i named) Sys() any                   { return nil }
func (i named) Info() (fs.FileInfo, error) { return i, nil }

// opened is an open file or folder.
type opened struct {
	named
	*bytes.Reader
	listed int // entries that ReadDir gave already
}

func (o *opened) Stat() (fs.FileInfo, error) { return o.named, nil }
func (o *opened) Close() error               { return nil }

// Size settles which of the two is meant.
func (o *opened) Size() int64 { return o.named.Size() }

// Read implements fs.File.
func (o *opened) Read(p []byte) (int, error) {
	if o.mode.IsDir() {
		return 0, &fs.PathError{Op: "read", Path: o.as, Err: syscall.EISDIR}
	}
	return o.Reader.Read(p) //nolint:wrapcheck // io.EOF
}

// ReadDir implements fs.ReadDirFile.
func (o *opened) ReadDir(count int) ([]fs.DirEntry, error) {
	if !o.mode.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: o.as, Err: syscall.ENOTDIR}
	}
	names := slices.Sorted(maps.Keys(o.nodes))[o.listed:]
	if count > 0 && len(names) == 0 {
		return nil, io.EOF
	}
	if count > 0 && count < len(names) {
		names = names[:count]
	}
	o.listed += len(names)
	entries := make([]fs.DirEntry, 0, len(names))
	for _, name := range names {
		entries = append(entries, named{o.nodes[name], name})
	}
	return entries, nil
}
