// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:00:26Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

// Package safefile opens folders and files of this user where somebody else may
// have put links, pipes or files of others: what is opened is checked after it was
// opened and before anything of it is read, cut or changed.
package safefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// openFlags keep an open from following a link, and from waiting for the other
// end of a pipe.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// othersWrite are the bits of a mode that let others write.
const othersWrite = 0o022

// Private opens a folder that nobody but this user can change. With its parents
// it is made, with mode 0700, when it is missing. Its path may hold links above
// the folder itself.
func Private(path string) (*os.Root, error) {
	path = filepath.Clean(path)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder above %s: %w", path, err)
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	root, err := ViewPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s was removed while it was opened", path)
	}
	return root, err
}

// ViewPrivate is Private for a folder that is there: a missing one is an error
// that is fs.ErrNotExist.
func ViewPrivate(path string) (*os.Root, error) {
	path = filepath.Clean(path)
	named, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("looking at a folder: %w", err)
	}
	if !named.IsDir() {
		return nil, noFolder(path, named)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("opening a folder: %w", err)
	}
	if err := errors.Join(sameFolder(path, named, root), notWritable(path, named)); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return root, nil
}

func notWritable(path string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&othersWrite != 0 {
		return fmt.Errorf("%s has mode %04o: others can write to it; take that right away, or name another folder", path,
			mode)
	}
	return nil
}

func noFolder(path string, info fs.FileInfo) error {
	return fmt.Errorf("%s is no folder (%s): remove it", path, kind(info))
}

// sameFolder says why what was opened is not the folder of this user that was
// looked at.
func sameFolder(path string, named fs.FileInfo, root *os.Root) error {
	opened, err := root.Stat(".")
	if err != nil {
		return fmt.Errorf("looking at a folder: %w", err)
	}
	if !os.SameFile(named, opened) {
		return fmt.Errorf("%s was replaced while it was opened", path)
	}
	return mine(path, opened)
}

// Folder opens the folder name, a slash-separated path, below base. What is
// missing of it is made with the mode perm; no part of it may be a link or
// belong to another user.
func Folder(base, name string, perm fs.FileMode) (*os.Root, error) {
	return folder(base, name, func(at *os.Root, part string) error {
		err := at.Mkdir(part, perm)
		if errors.Is(err, fs.ErrExist) {
			return nil
		}
		return err //nolint:wrapcheck // below names the folder
	})
}

// ViewFolder is Folder for what is there: a missing part is an error that is
// fs.ErrNotExist.
func ViewFolder(base, name string) (*os.Root, error) {
	return folder(base, name, func(*os.Root, string) error { return nil })
}

func folder(base, name string, prepare func(at *os.Root, part string) error) (*os.Root, error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, fmt.Errorf("%q is no path below %s", name, base)
	}
	at, err := os.OpenRoot(base)
	if err != nil {
		return nil, fmt.Errorf("opening a folder: %w", err)
	}
	for part := range strings.SplitSeq(filepath.ToSlash(filepath.Clean(filepath.FromSlash(name))), "/") {
		if part == "." {
			continue
		}
		next, err := below(at, part, prepare)
		if err := errors.Join(err, at.Close()); err != nil {
			if next != nil {
				_ = next.Close() // the error that counts is already there
			}
			return nil, err
		}
		at = next
	}
	return at, nil
}

// below opens one folder in another.
func below(at *os.Root, part string, prepare func(at *os.Root, part string) error) (*os.Root, error) {
	path := filepath.Join(at.Name(), part)
	if err := prepare(at, part); err != nil {
		return nil, fmt.Errorf("making %s: %w", path, err)
	}
	named, err := at.Lstat(part)
	if err != nil {
		return nil, fmt.Errorf("looking at %s: %w", path, err)
	}
	if !named.IsDir() {
		return nil, noFolder(path, named)
	}
	next, err := at.OpenRoot(part)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	if err := sameFolder(path, named, next); err != nil {
		return nil, errors.Join(err, next.Close())
	}
	return next, nil
}

// Open opens a file directly in a folder, which is a regular file of this user
// with one name, or with os.O_CREATE becomes one. What is there is neither
// changed nor read before that is known; a link is never followed.
func Open(in *os.Root, name string, flag int, perm fs.FileMode) (*os.File, error) {
	path := filepath.Join(in.Name(), name)
	if name != filepath.Base(name) || !filepath.IsLocal(name) {
		return nil, fmt.Errorf("%q is no name of a file in %s", name, in.Name())
	}
	before, err := in.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0:
		f, err := in.OpenFile(name, flag|os.O_EXCL|openFlags, perm)
		if err != nil {
			return nil, fmt.Errorf("making %s: %w", path, err)
		}
		return f, nil
	case err != nil:
		return nil, fmt.Errorf("opening %s: %w", path, err)
	case flag&os.O_EXCL != 0:
		return nil, fmt.Errorf("making %s: %w", path, fs.ErrExist)
	case !before.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file (%s): remove it", path, kind(before))
	}
	f, err := in.OpenFile(name, flag&^(os.O_CREATE|os.O_TRUNC)|openFlags, 0)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	err = regular(path, before, f)
	if err == nil && flag&os.O_TRUNC != 0 {
		err = f.Truncate(0)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// regular says why what was opened is not the regular file that was looked at.
func regular(path string, before fs.FileInfo, f *os.File) error {
	after, err := f.Stat()
	switch {
	case err != nil:
		return fmt.Errorf("looking at %s: %w", path, err)
	case !after.Mode().IsRegular() || !os.SameFile(before, after):
		return fmt.Errorf("%s was replaced while it was opened", path)
	}
	if stat, ok := after.Sys().(*syscall.Stat_t); ok && stat.Nlink != 1 {
		return fmt.Errorf("%s has %d names, so that another file would change with it: remove it", path, stat.Nlink)
	}
	return mine(path, after)
}

// Create makes a new file directly in a folder, in place of whatever has its name.
func Create(in *os.Root, name string, perm fs.FileMode) (*os.File, error) {
	if err := in.RemoveAll(name); err != nil {
		return nil, fmt.Errorf("replacing %s: %w", filepath.Join(in.Name(), name), err)
	}
	return Open(in, name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
}

// mine says why something does not belong to this user.
func mine(path string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == os.Geteuid() {
		return nil
	}
	return fmt.Errorf("%s belongs to user %d, and this is user %d: remove it", path, stat.Uid, os.Geteuid())
}

// kind names what is no regular file.
func kind(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return "a file"
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeSymlink != 0:
		return "a link"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}

// Copy makes a file directly in one folder from the regular file of that name in
// another.
func Copy(to, from *os.Root, name string, perm fs.FileMode) (err error) {
	in, err := Open(from, name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := Create(to, name, perm)
	if err != nil {
		return err
	}
	if _, err = io.Copy(out, in); err != nil {
		err = fmt.Errorf("copying %s: %w", name, err)
	}
	return errors.Join(err, out.Close())
}
