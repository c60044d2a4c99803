// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:18:44Z
// Spec: openspec/specs/sources/spec.md#requirement-checks-without-git
// Diagram: openspec/specs/sources/diagram.md#chain-of-trust

package sources

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
)

// What sync leaves in a checkout's .git for the checks: the commit object and
// the list of its files.
const (
	ownFolder  = "packer-hybrid"
	commitFile = "commit"
	listFile   = "files"
)

// errForeign says that a folder is not a checkout that sync made.
var errForeign = errors.New("is not a checkout that `packer-hybrid sources sync` made")

// maxHead bounds .git/HEAD and .git/config, in bytes.
const maxHead = 64 << 10

// checkout is a folder below Dir, by its absolute path.
type checkout string

func (c checkout) git(names ...string) string {
	return filepath.Join(append([]string{string(c), ".git"}, names...)...)
}

// kind says what a folder is before anything in it is read. A missing one
// gives fs.ErrNotExist, what is no checkout errForeign.
func (c checkout) kind() error {
	for _, path := range []string{string(c), c.git()} {
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != string(c):
			return errForeign
		case err != nil:
			return fmt.Errorf("looking at a checkout: %w", err)
		case info.Mode()&fs.ModeSymlink != 0 && path == string(c):
			return errLink
		case !info.IsDir():
			return errForeign
		}
	}
	return nil
}

var errLink = errors.New("is a symbolic link, which is not followed")

// head is the content of .git/HEAD: a commit, or "ref: " and a branch.
func (c checkout) head() (string, error) {
	data, err := c.read(maxHead, "HEAD")
	return strings.TrimSpace(string(data)), err
}

// read reads a regular file of .git, without following a link to it and
// without waiting at a pipe. A missing one gives errForeign.
func (c checkout) read(limit int64, names ...string) ([]byte, error) {
	if len(names) > 1 {
		if info, err := os.Lstat(c.git(names[0])); err != nil || !info.IsDir() {
			return nil, errForeign
		}
	}
	f, err := os.OpenFile(c.git(names...), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP) {
		return nil, errForeign
	}
	if err != nil {
		return nil, fmt.Errorf("reading a checkout: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > limit {
		return nil, errForeign
	}
	data, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, fmt.Errorf("reading a checkout: %w", err)
	}
	return data, nil
}

// changes compares the checkout with a commit. It gives errForeign when sync
// did not make it, and an errForged when its list is not that of the commit.
func (c checkout) changes(commit string) ([]Change, error) {
	object, err := c.read(git.MaxCommit, ownFolder, commitFile)
	if err != nil {
		return nil, err
	}
	list, err := c.read(git.MaxList, ownFolder, listFile)
	if err != nil {
		return nil, err
	}
	entries, err := git.Trusted(commit, object, list)
	if err != nil {
		return nil, &forgedError{err}
	}
	return compare(string(c), entries)
}

// forgedError says that what sync left in .git was changed.
type forgedError struct{ cause error }

func (e *forgedError) Error() string { return e.cause.Error() }

// gitConfig is the whole .git/config of a checkout. The URL holds nothing that
// would need quoting.
func gitConfig(url string) string {
	return `[core]
	repositoryformatversion = 0
	filemode = true
	bare = false
	logallrefupdates = true
	fsmonitor = false
	hooksPath = /dev/null
[remote "origin"]
	url = ` + url + `
	tagOpt = --no-tags
`
}

// originOf finds the URL of the remote origin in a .git/config, as far as it
// is written plainly.
func originOf(config string) string {
	section, url := "", ""
	for line := range strings.Lines(config) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if found && section == `[remote "origin"]` && strings.EqualFold(strings.TrimSpace(name), "url") {
			url = strings.TrimSpace(value)
		}
	}
	return url
}
