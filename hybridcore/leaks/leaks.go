// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:08:42Z
// Spec: openspec/specs/leaks/spec.md#requirement-every-file-of-the-project
// Diagram: openspec/specs/leaks/diagram.md#one-scan

// Package leaks finds secrets in plain text in the files of a project: credentials by
// their shape, literals of settings that name a secret, and texts that look random. A
// finding never holds more of a secret than the first four characters of a known prefix.
package leaks

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// Kind and Rule are those of every finding about a secret in plain text.
const (
	Kind = "leak"
	Rule = "plain-secret"
)

// Bounds of a scan. The largest of the public example frameworks has 2,000 files with
// 12 MiB together.
const (
	maxFile  = 4 << 20
	maxFiles = 100_000
	maxBytes = 512 << 20
	maxTime  = 20 * time.Second
	maxLeaks = 200 // listed, and looked for in one file
	maxKept  = 20 * maxLeaks
	most     = 8 // files that are read at once
)

// Leak is one secret in plain text.
type Leak struct {
	Finding hybridcore.Finding
	Value   string // the secrets of the line, with zero bytes between them: never to be shown
	Fixed   bool   // nobody can accept it: it is a private key
}

// Report is what a scan has found.
type Report struct {
	Leaks  []Leak
	Notes  []hybridcore.Finding // about what was not looked at
	Files  int                  // searched
	Binary int                  // not searched, for they are no text
}

// Scan searches files of the project, none of them through a link.
func Scan(ctx context.Context, root *os.Root, names []string) Report {
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	s := scan{root: root}
	if s.unread = max(0, len(names)-maxFiles); s.unread > 0 {
		names = names[:maxFiles]
	}
	found := make([][]Leak, len(names))
	var next, bytes atomic.Int64
	var running sync.WaitGroup
	for range min(most, runtime.GOMAXPROCS(0), len(names)) {
		running.Go(func() {
			for {
				at := int(next.Add(1)) - 1
				switch {
				case at >= len(names):
					return
				case ctx.Err() != nil || bytes.Load() > maxBytes:
					s.left()
				default:
					var size int
					found[at], size = s.file(names[at])
					bytes.Add(int64(size))
				}
			}
		})
	}
	running.Wait()
	return s.report(slices.Concat(found...))
}

// scan counts what several goroutines meet.
type scan struct {
	root *os.Root

	mu     sync.Mutex
	files  int
	binary int
	large  []string
	closed []string // cannot be read
	unread int

	kept    int // secrets
	dropped int // secrets of files that are not listed: there are more than anybody reads
	blocks  int // of those that are dropped
}

func (s *scan) left() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unread++
}

// file searches one file.
func (s *scan) file(name string) ([]Leak, int) {
	content, err := safefile.ReadIn(s.root, name, maxFile)
	isText := err == nil && !isBinary(content)
	_, refused := errors.AsType[*safefile.RefusedError](err)
	large := false
	if refused {
		content, large = s.beginning(name)
	}
	s.mu.Lock()
	switch {
	case errors.Is(err, fs.ErrNotExist): // removed, and not committed yet
	case refused && large && isBinary(content):
		s.binary++
	case refused && large:
		s.large = append(s.large, name)
	case refused: // a link, a submodule, a pipe: what a link names is a file of its own
	case err != nil:
		s.closed = append(s.closed, name)
	case !isText:
		s.binary++
	default:
		s.files++
	}
	s.mu.Unlock()
	if !isText {
		return nil, 0
	}
	found := Text(name, content)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept += len(found); s.kept > maxKept {
		s.dropped, s.blocks = s.dropped+len(found), s.blocks+blocking(found)
		found = nil
	}
	return found, len(content)
}

// beginning is how a regular file begins that is larger than what is read.
func (s *scan) beginning(name string) (content []byte, large bool) {
	info, err := s.root.Lstat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() <= maxFile {
		return nil, false
	}
	f, err := s.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, true
	}
	defer func() { _ = f.Close() }() // only read
	content = make([]byte, looked)
	n, _ := io.ReadFull(f, content) // what cannot be read is said to be large
	return content[:n], true
}

// looked is how much of a file says whether it is text, in bytes.
const looked = 8000

// isBinary says whether a file is no text, as git does: by a zero byte at its beginning.
func isBinary(content []byte) bool {
	return bytes.IndexByte(content[:min(len(content), looked)], 0) >= 0
}

func (s *scan) report(found []Leak) Report {
	slices.SortStableFunc(found, func(a, b Leak) int {
		return cmp.Or(cmp.Compare(a.Finding.File, b.Finding.File), a.Finding.Line-b.Finding.Line,
			a.Finding.Column-b.Finding.Column)
	})
	r := Report{Leaks: found, Files: s.files, Binary: s.binary}
	note := func(severity hybridcore.Severity, message, hint string) {
		r.Notes = append(r.Notes, hybridcore.Finding{
			Kind: Kind, Rule: Rule, Subject: "files", Message: message, Hint: hint, Severity: severity,
			Blocking: severity == hybridcore.Error,
		})
	}
	if s.binary > 0 {
		note(hybridcore.Info, fmt.Sprintf("%d binary files were not searched for secrets", s.binary), "")
	}
	if n := len(s.large); n > 0 {
		note(hybridcore.Warning, fmt.Sprintf("%d files of more than %d MiB were not searched for secrets, among them %s", n,
			maxFile>>20, slices.Min(s.large)), "keep large files out of the repository")
	}
	if n := len(s.closed); n > 0 {
		note(hybridcore.Error, fmt.Sprintf("%d files cannot be read and were not searched for secrets, among them %s", n,
			slices.Min(s.closed)), "make them readable, or have git ignore them")
	}
	if s.unread > 0 {
		note(hybridcore.Error, fmt.Sprintf("the search for secrets ended before its end: %d files are left", s.unread),
			"have git ignore what is generated")
	}
	if over := len(found) + s.dropped - maxLeaks; over > 0 {
		var hidden []Leak
		r.Leaks, hidden = first(found)
		severity := hybridcore.Warning
		if blocking(hidden)+s.blocks > 0 {
			severity = hybridcore.Error
		}
		note(severity, fmt.Sprintf("%d more secrets in plain text are not listed", over), "remove the first ones")
	}
	return r
}

// first are the leaks that are listed, of too many: those that block before others, in the order of the files.
func first(found []Leak) (listed, hidden []Leak) {
	room := max(0, maxLeaks-blocking(found)) // for others
	for _, leak := range found {
		switch {
		case len(listed) < maxLeaks && leak.Finding.Blocking:
			listed = append(listed, leak)
		case len(listed) < maxLeaks && room > 0:
			listed, room = append(listed, leak), room-1
		default:
			hidden = append(hidden, leak)
		}
	}
	return listed, hidden
}

// blocking is how many of the leaks block.
func blocking(found []Leak) int {
	n := 0
	for _, leak := range found {
		if leak.Finding.Blocking {
			n++
		}
	}
	return n
}
