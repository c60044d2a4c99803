// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:04:39Z
// Spec: openspec/specs/state/spec.md#requirement-immutable-records
// Diagram: openspec/specs/state/diagram.md#append

package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
	"iter"
	"os"
	"syscall"
)

// indexName is the file that says where each run's line is in records.jsonl.
// It is derived: never synced, trusted only within the boot of the kernel that
// wrote it and for the same file, made anew otherwise.
const indexName = "records.idx"

const (
	indexMagic  = "packer-hybrid index 1\n"
	indexHeader = 128 // bytes before the first entry
	indexEntry  = 16  // bytes: hash of the run ID, offset of the line
)

// index lists lines of the record log in the order they were appended. Its
// text is the file's: a header, then the entries. A damaged line has hash 0.
type index struct {
	text    []byte
	covered int64 // bytes of the log that the entries stand for
	sum     uint32
}

// hashID is the hash that entries carry; two runs may share one.
func hashID(runID string) uint64 {
	if runID == "" {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(runID)) // a hash never fails
	return h.Sum64()
}

func emptyIndex() *index { return &index{text: make([]byte, indexHeader)} }

// parseIndex reads an index file. It returns an empty index when the file is
// not that of this log in this boot.
func parseIndex(text []byte, boot string, log identity, size int64) *index {
	if len(text) < indexHeader || boot == "" {
		return emptyIndex()
	}
	h := text[:indexHeader]
	count := binary.LittleEndian.Uint64(h[96:])
	if count > uint64(len(text)-indexHeader)/indexEntry {
		return emptyIndex()
	}
	text = text[:indexHeader+int(count)*indexEntry]
	x := &index{text: text, covered: int64(binary.LittleEndian.Uint64(h[104:])), sum: crc32.Checksum(text[indexHeader:], castagnoli())}
	if x.covered < 0 || x.covered > size {
		return emptyIndex()
	}
	want := x.header(boot, log)
	if !bytes.Equal(want[:], h) {
		return emptyIndex()
	}
	return x
}

// castagnoli is the polynomial that processors compute themselves.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// header is the file's header for the present entries.
func (x *index) header(boot string, log identity) [indexHeader]byte {
	var h [indexHeader]byte
	copy(h[:], indexMagic)
	copy(h[24:], boot) // 36 bytes
	binary.LittleEndian.PutUint64(h[72:], log.dev)
	binary.LittleEndian.PutUint64(h[80:], log.ino)
	binary.LittleEndian.PutUint64(h[96:], uint64(x.count()))
	binary.LittleEndian.PutUint64(h[104:], uint64(x.covered))
	binary.LittleEndian.PutUint32(h[112:], x.sum)
	binary.LittleEndian.PutUint32(h[120:], crc32.Checksum(h[:120], castagnoli()))
	return h
}

func (x *index) count() int { return (len(x.text) - indexHeader) / indexEntry }

// add notes one line that ends at end.
func (x *index) add(runID string, offset, end int64) {
	var e [indexEntry]byte
	binary.LittleEndian.PutUint64(e[:], hashID(runID))
	binary.LittleEndian.PutUint64(e[8:], uint64(offset))
	x.text = append(x.text, e[:]...)
	x.sum = crc32.Update(x.sum, castagnoli(), e[:])
	x.covered = end
}

// offsets yields where lines with that hash begin.
func (x *index) offsets(hash uint64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for e := x.text[indexHeader:]; len(e) >= indexEntry; e = e[indexEntry:] {
			if binary.LittleEndian.Uint64(e) == hash && !yield(int64(binary.LittleEndian.Uint64(e[8:]))) {
				return
			}
		}
	}
}

// all yields where every line begins.
func (x *index) all() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for e := x.text[indexHeader:]; len(e) >= indexEntry; e = e[indexEntry:] {
			if !yield(int64(binary.LittleEndian.Uint64(e[8:]))) {
				return
			}
		}
	}
}

// identity tells one file from another on this host.
type identity struct{ dev, ino uint64 }

func identify(f *os.File) identity {
	info, err := f.Stat()
	if err != nil {
		return identity{}
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}
	}
	return identity{dev: uint64(s.Dev), ino: s.Ino}
}

// loadIndex reads the index of the log.
func (d *Dir) loadIndex(log *os.File, size int64) *index {
	text, err := d.readFile(indexName)
	if err != nil {
		return emptyIndex()
	}
	return parseIndex(text, d.host.boot, identify(log), size)
}

// saveIndex writes the entries from the number on, then the header: a process
// killed in between leaves an index that does not know the new entries.
func (d *Dir) saveIndex(x *index, from int, log *os.File) error {
	flags := os.O_RDWR | os.O_CREATE
	if from == 0 {
		flags |= os.O_TRUNC
	}
	f, err := d.root.OpenFile(indexName, flags, 0o600)
	if err != nil {
		return fmt.Errorf("opening the index: %w", err)
	}
	at := indexHeader + from*indexEntry
	_, err = f.WriteAt(x.text[at:], int64(at))
	if err == nil {
		h := x.header(d.host.boot, identify(log))
		_, err = f.WriteAt(h[:], 0)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = d.root.Remove(indexName) // it is made anew the next time
		return fmt.Errorf("writing the index: %w", err)
	}
	return nil
}

// readHead reads up to n bytes at an offset, fewer at the end of the file.
func readHead(f io.ReaderAt, offset int64, n int) []byte {
	head := make([]byte, n)
	got, _ := f.ReadAt(head, offset) // what is missing is seen as damage
	return head[:got]
}
