// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:44:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-formatting
// Diagram: openspec/specs/static-validation/diagram.md#formatting

package format

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// digest is the sha256 of a file in canonical form, or of how it looks from
// outside.
type digest [sha256.Size]byte

// unchangedFor is how long a file must not have changed for its time to tell the next
// change from this one: file systems count in up to two seconds.
const unchangedFor = 2 * time.Second

// lookOf digests a file's path, size and modification time. It is the zero
// digest when they do not tell a change.
func lookOf(path string) digest {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return digest{}
	}
	info, err := os.Lstat(absolute)
	if err != nil || !info.Mode().IsRegular() || time.Since(info.ModTime()) < unchangedFor {
		return digest{}
	}
	return sha256.Sum256(fmt.Appendf(nil, "look %q %d %d", absolute, info.Size(), info.ModTime().UnixNano()))
}

// maxDigests bounds the memory of canonical files, two for each: 3 MiB.
const maxDigests = 100_000

// digests is the set of files that are known to be canonical. It is a cache:
// a damaged or missing one costs the next run some time, no more.
type digests map[digest]bool

// formatterID names the formatter in the file: another version may write
// another form.
func formatterID() digest {
	id, version := "canonical 1 ", ""
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range build.Deps {
			if dep.Path == "github.com/hashicorp/hcl/v2" {
				version = dep.Version
			}
		}
	}
	return sha256.Sum256([]byte(id + version))
}

// readDigests reads a set: the formatter's name, then one digest after another.
func readDigests(path string) digests {
	known := digests{}
	data, err := safefile.Read(path, (maxDigests+1)*sha256.Size)
	if id := formatterID(); err != nil || len(data)%sha256.Size != 0 || len(data) == 0 ||
		digest(data[:sha256.Size]) != id {
		return known
	}
	for at := sha256.Size; at < len(data); at += sha256.Size {
		known[digest(data[at:at+sha256.Size])] = true
	}
	return known
}

func (d digests) has(sum digest) bool { return d[sum] }

// keep adds to the set on disk. Of two runs at the same time one may win: the
// other's files are parsed once more.
func (d digests) keep(path string, fresh []digest) {
	if path == "" || len(fresh) == 0 {
		return
	}
	if len(d)+len(fresh) > maxDigests {
		clear(d)
	}
	id := formatterID()
	data := append([]byte(nil), id[:]...)
	for _, sum := range fresh[:min(len(fresh), maxDigests)] {
		d[sum] = true
	}
	for sum := range d {
		data = append(data, sum[:]...)
	}
	_ = safefile.Keep(path, data) // what is not kept is parsed once more
}
