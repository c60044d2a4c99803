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
	"slices"
	"syscall"
)

// indexName is the file that says where each run's line is in records.jsonl: a
// header and a hash table with open addressing, so that finding and noting a
// run takes the same few reads and writes whatever the number of records. It is
// derived: never synced, trusted only within the boot of the kernel that wrote
// it and for the same log file, made anew otherwise.
const indexName = "records.idx"

const (
	indexMagic    = "packer-hybrid index 1\n"
	indexHeader   = 128     // bytes before the first slot
	indexSlot     = 16      // bytes: hash of the run ID, offset of the line + 1
	indexSlots    = 1 << 10 // of a new table; it is never more than half full
	maxIndexSlots = 1 << 32
)

// place is where a line is. A damaged line has hash 0.
type place struct {
	hash   uint64
	offset int64
}

// hashID is the hash that slots carry; two runs may share one.
func hashID(runID string) uint64 {
	if runID == "" {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(runID)) // a hash never fails
	return h.Sum64()
}

// index is the table on disk and the lines that are not in it yet.
type index struct {
	f       *os.File // nil when there is no table that can be used
	boot    string
	log     identity
	slots   uint64
	stored  uint64 // used slots
	covered int64  // bytes of the log whose lines are in table or tail
	tail    []place
	err     error // of reading the table; what was not found may be there
}

// loadIndex opens the index of the log. Without a table that fits the log it
// is empty. The caller closes it.
func (d *Dir) loadIndex(log *os.File, size int64) *index {
	x := &index{boot: d.host.boot, log: identify(log)}
	f, err := d.root.OpenFile(indexName, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		// A reader of a state that it cannot write.
		if f, err = d.root.OpenFile(indexName, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
			return x
		}
	}
	if !x.accept(f, size) {
		_ = f.Close() // it is of no use
		return &index{boot: x.boot, log: x.log}
	}
	x.f = f
	return x
}

// accept reads the header and says whether the table is that of this log.
func (x *index) accept(f *os.File, size int64) bool {
	info, err := f.Stat()
	var h [indexHeader]byte
	if err != nil || !info.Mode().IsRegular() || x.boot == "" {
		return false
	}
	if _, err := f.ReadAt(h[:], 0); err != nil {
		return false
	}
	x.slots = binary.LittleEndian.Uint64(h[88:])
	x.stored = binary.LittleEndian.Uint64(h[96:])
	covered := binary.LittleEndian.Uint64(h[104:])
	if x.slots < indexSlots || x.slots > maxIndexSlots || x.slots&(x.slots-1) != 0 || covered > uint64(size) || x.stored > x.slots/2 {
		return false
	}
	x.covered = int64(covered)
	want := x.header()
	return bytes.Equal(want[:], h[:]) && info.Size() == indexHeader+int64(x.slots)*indexSlot
}

// header is the table's header for the present numbers.
func (x *index) header() [indexHeader]byte {
	var h [indexHeader]byte
	copy(h[:], indexMagic)
	copy(h[24:], x.boot) // at most 36 bytes
	binary.LittleEndian.PutUint64(h[72:], x.log.dev)
	binary.LittleEndian.PutUint64(h[80:], x.log.ino)
	binary.LittleEndian.PutUint64(h[88:], x.slots)
	binary.LittleEndian.PutUint64(h[96:], x.stored)
	binary.LittleEndian.PutUint64(h[104:], uint64(x.covered))
	binary.LittleEndian.PutUint32(h[120:], crc32.ChecksumIEEE(h[:120]))
	return h
}

// add notes a line that ends at end; save stores it.
func (x *index) add(runID string, offset, end int64) {
	x.tail = append(x.tail, place{hash: hashID(runID), offset: offset})
	x.covered = end
}

// offsets yields where lines with that hash begin.
func (x *index) offsets(hash uint64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for _, p := range x.tail {
			if p.hash == hash && !yield(p.offset) {
				return
			}
		}
		if x.f == nil {
			return
		}
		for _, p := range x.probe(x.f, hash) {
			if p.hash == hash && p.offset >= 0 && !yield(p.offset) {
				return
			}
		}
	}
}

// probe yields the slots in which a hash may be, by their number, up to the
// first empty one, which has the offset -1.
func (x *index) probe(table io.ReaderAt, hash uint64) iter.Seq2[uint64, place] {
	const window = 16 // slots read at once
	return func(yield func(uint64, place) bool) {
		var buf [window * indexSlot]byte
		for tried := uint64(0); tried < x.slots; {
			slot := (hash + tried) & (x.slots - 1)
			n := min(window, x.slots-slot)
			if _, err := table.ReadAt(buf[:n*indexSlot], indexHeader+int64(slot)*indexSlot); err != nil {
				x.err = fmt.Errorf("reading the index of records: %w", err)
				return
			}
			for i := range n {
				p := decodePlace(buf[i*indexSlot:])
				if !yield(slot+i, p) || p.offset < 0 {
					return
				}
			}
			tried += n
		}
	}
}

func decodePlace(b []byte) place {
	return place{hash: binary.LittleEndian.Uint64(b), offset: int64(binary.LittleEndian.Uint64(b[8:])) - 1}
}

func (p place) encode() []byte {
	b := binary.LittleEndian.AppendUint64(nil, p.hash)
	return binary.LittleEndian.AppendUint64(b, uint64(p.offset+1))
}

// all lists every line in the order of the log. False means that the table is
// not whole: it is being written, or it was damaged.
func (x *index) all() ([]place, bool) {
	places := slices.Clone(x.tail)
	if x.f != nil {
		table := make([]byte, x.slots*indexSlot)
		if _, err := x.f.ReadAt(table, indexHeader); err != nil {
			return nil, false
		}
		for ; len(table) > 0; table = table[indexSlot:] {
			if p := decodePlace(table); p.offset >= 0 {
				places = append(places, p)
			}
		}
	}
	slices.SortFunc(places, func(a, b place) int { return int(min(max(a.offset-b.offset, -1), 1)) })
	return places, uint64(len(places)) == x.stored+uint64(len(x.tail))
}

// save stores the tail: in the table, or in a new one when there is none or it
// would be more than half full. Slots come before the header, so that a
// process killed in between leaves a table that does not know the new lines.
func (d *Dir) save(x *index) error {
	var err error
	if need := x.stored + uint64(len(x.tail)); x.f == nil || need > x.slots/2 {
		err = d.rebuild(x, need)
	} else {
		err = x.insert(x.f, x.f)
		if err == nil {
			h := x.header()
			_, err = x.f.WriteAt(h[:], 0)
		}
	}
	if err != nil {
		_ = d.root.Remove(indexName) // it is made anew the next time
		return fmt.Errorf("writing the index of records: %w", err)
	}
	return nil
}

// insert moves the tail into a table.
func (x *index) insert(r io.ReaderAt, w io.WriterAt) error {
	for _, p := range x.tail {
		stored := x.stored
		for slot, there := range x.probe(r, p.hash) {
			if there.offset >= 0 && there != p {
				continue
			}
			if _, err := w.WriteAt(p.encode(), indexHeader+int64(slot)*indexSlot); err != nil {
				return fmt.Errorf("writing a slot: %w", err)
			}
			x.stored++
			break
		}
		if x.stored == stored {
			return errors.Join(errors.New("no slot is free"), x.err)
		}
	}
	x.tail = nil
	return nil
}

// rebuild writes a new table for need lines.
func (d *Dir) rebuild(x *index, need uint64) error {
	places, ok := x.all()
	if !ok {
		return errors.New("the table is damaged")
	}
	x.slots, x.stored, x.tail = indexSlots, 0, places
	for x.slots < 4*need {
		x.slots *= 2
	}
	table := memory(make([]byte, indexHeader+x.slots*indexSlot))
	if err := x.insert(table, table); err != nil {
		return err
	}
	h := x.header()
	copy(table, h[:])
	temp := newTemp()
	err := d.root.WriteFile(temp, table, 0o600)
	if err == nil {
		err = d.root.Rename(temp, indexName)
	}
	if err != nil {
		return errors.Join(err, d.root.Remove(temp))
	}
	return nil
}

// memory is a table that is not on disk.
type memory []byte

func (m memory) ReadAt(p []byte, off int64) (int, error)  { return copy(p, m[off:]), nil }
func (m memory) WriteAt(p []byte, off int64) (int, error) { return copy(m[off:], p), nil }

// close closes the table.
func (x *index) close() {
	if x.f != nil {
		_ = x.f.Close() // derived data: nothing is lost
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
	return identity{dev: uint64(s.Dev), ino: s.Ino} //nolint:unconvert // the types differ between systems
}
