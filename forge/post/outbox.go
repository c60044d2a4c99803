// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:55:30Z
// Spec: openspec/specs/posting/spec.md#requirement-outbox
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

// Package post sends the checks, the comment and the issue of a run to its forge: from
// an outbox on disk, each once, in spite of lost answers, limits and kills. A
// report that cannot be sent never changes a run's result.
package post

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// FileName ends the name of an outbox in a run's directory; it begins with the
// system's.
const FileName = ".outbox.jsonl"

// maxFile bounds an outbox that is read, in bytes: 500 check-runs with 250
// annotations each are below it.
const maxFile = 128 << 20

// Address says where a run's report goes. It is kept in the outbox, so that
// another process can send what is left; it holds no token.
type Address struct {
	System     string `json:"system,omitempty"` // its name; empty: that of the file
	Repository string `json:"repository"`       // OWNER/NAME, or the path of a project
	Commit     string `json:"commit"`           // full object ID
	Change     int    `json:"change,omitempty"` // number of the pull or merge request; 0 for none and no comment
	Run        string `json:"run"`              // the run's ID
	// Number and Attempt order runs: those of the run and of its attempt, or of the
	// pipeline and of its job.
	Number  int64  `json:"number"`
	Attempt int64  `json:"attempt"`
	URL     string `json:"url,omitempty"` // of the job, for people
	// Slot tells the comments of one change apart, as a word; most have one.
	Slot  string `json:"slot"`
	Login string `json:"login,omitempty"` // whom the token belongs to: github-actions[bot]; empty: the forge is asked
	// Pipelined is the commit that the run Number is for, where that is not Commit but
	// a merge of it.
	Pipelined string `json:"pipelined,omitempty"`
}

// line is one line of the outbox; Kind says which of the fields are set.
type line struct {
	Kind        string        `json:"kind"` // open, want, try, made, sent, drop, close
	Address     *Address      `json:"address,omitempty"`
	Key         string        `json:"key,omitempty"` // of an item
	Check       *report.Check `json:"check,omitempty"`
	Issue       *Issue        `json:"issue,omitempty"`
	Body        string        `json:"body,omitempty"`
	Final       bool          `json:"final,omitempty"`
	ID          int64         `json:"id,omitempty"`
	State       string        `json:"state,omitempty"`       // of a commit status that is there
	Annotations int           `json:"annotations,omitempty"` // that have arrived
	Version     int           `json:"version,omitempty"`     // of the item that has arrived or was given up
	Why         string        `json:"why,omitempty"`
}

// commentKey is the key of the comment's item, issueKey that of the issue's; a check's is checkPrefix and its key.
const (
	commentKey  = "comment"
	checkPrefix = "check/"
)

// item is a check-run, the comment or the issue: what is wanted, and what has arrived.
type item struct {
	key         string
	check       *report.Check // nil for the comment and the issue
	issue       *Issue        // nil for the others
	body        string
	final       bool // of a comment: the run is over
	version     int  // of what is wanted, from 1
	done        int  // version that has arrived or was given up
	id          int64
	tried       bool // since the identifier or the annotations were last known
	annotations int
	state       string // of a commit status, as it was known last
	dropped     string // why the last version was given up
	// step is a newer state of a check that is not over; it is not on disk.
	step     *report.Check
	stepSent time.Time // when a step was sent last
}

// outbox is the open file of one run.
type outbox struct {
	path string

	mu      sync.Mutex
	file    disk // locked by this process until it is closed
	address Address
	items   map[string]*item
	order   []string
	closed  bool // the run has ended by itself
	failed  error
}

// create makes the outbox of a run that starts, in a folder that only this user
// can change.
func create(dir, file string, address Address) (_ *outbox, err error) {
	above, err := safefile.Private(filepath.Dir(dir))
	if err != nil {
		return nil, fmt.Errorf("opening the folder of the reports: %w", err)
	}
	defer func() { err = errors.Join(err, above.Close()) }()
	in, err := safefile.Private(dir)
	if err != nil {
		return nil, fmt.Errorf("making the run's directory: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	box, _, err := open(in, file, os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	box.address = address
	err = box.append(line{Kind: "open", Address: &address})
	if err == nil {
		err = errors.Join(syncDir(in), syncDir(above))
	}
	if err != nil {
		return nil, errors.Join(err, box.release())
	}
	return box, nil
}

// open locks an outbox and reads what is in it. It returns the file's length
// without a torn last line; nothing is cut.
func open(in *os.Root, name string, flag int) (*outbox, int64, error) {
	path := filepath.Join(in.Name(), name)
	file, err := safefile.Open(in, name, os.O_RDWR|os.O_APPEND|flag, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("opening the outbox: %w", err)
	}
	box := &outbox{path: path, file: file, items: map[string]*item{}}
	info, err := file.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("others may read or write it (mode %04o), which no outbox is made with", info.Mode().Perm())
	}
	if err == nil {
		err = lockFile(file)
	}
	whole := int64(0)
	if err == nil {
		whole, err = box.read(file)
	}
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("reading the outbox %s: %w", path, err), box.release())
	}
	return box, whole, nil
}

// read applies all whole lines, and returns where they end.
func (b *outbox) read(file io.Reader) (int64, error) {
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return 0, fmt.Errorf("reading: %w", err)
	}
	if len(data) > maxFile {
		return 0, fmt.Errorf("it has more than %d bytes", maxFile)
	}
	whole := bytes.LastIndexByte(data, '\n') + 1
	number := 0
	for text := range bytes.Lines(data[:whole]) {
		number++
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return 0, fmt.Errorf("line %d: %w", number, err)
		}
		if err := b.apply(l); err != nil {
			return 0, fmt.Errorf("line %d: %w", number, err)
		}
	}
	return int64(whole), nil
}

// apply changes the state by one line.
func (b *outbox) apply(l line) error {
	switch l.Kind {
	case "open":
		if l.Address == nil {
			return errors.New("it opens without an address")
		}
		b.address = *l.Address
		return nil
	case "close":
		b.closed = true
		return nil
	case "want":
		if !l.fits() {
			return fmt.Errorf("%.80q is wanted without a check, or with another one's", l.Key)
		}
		b.want(l)
		return nil
	}
	it := b.items[l.Key]
	if it == nil {
		return fmt.Errorf("%.80q of what nobody wanted", l.Kind)
	}
	switch l.Kind {
	case "try":
		it.tried = true
	case "made":
		it.id, it.annotations, it.state, it.tried = l.ID, max(0, l.Annotations), l.State, false
	case "sent":
		it.done, it.dropped = min(l.Version, it.version), ""
	case "drop":
		it.done, it.dropped = min(l.Version, it.version), l.Why
	default:
		return fmt.Errorf("%.80q is not a kind of line that this version knows", l.Kind)
	}
	return nil
}

// fits says whether what is wanted is what its key says.
func (l line) fits() bool {
	switch l.Key {
	case commentKey:
		return l.Check == nil && l.Issue == nil
	case issueKey:
		return l.Check == nil && l.Issue != nil
	default:
		return l.Check != nil && l.Issue == nil && l.Key == checkPrefix+l.Check.Key
	}
}

// want notes the wanted state of an item.
func (b *outbox) want(l line) {
	it := b.items[l.Key]
	if it == nil {
		it = &item{key: l.Key}
		b.items[l.Key] = it
		b.order = append(b.order, l.Key)
	}
	it.check, it.body, it.final, it.step, it.issue = l.Check, l.Body, l.Final, nil, l.Issue
	it.version++
}

// append puts a line on disk, then applies it. After a failed write nothing
// more is written: the end of the file is not known any more.
func (b *outbox) append(l line) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.write(l)
}

func (b *outbox) write(l line) error {
	if b.failed == nil {
		b.failed = b.store(l)
	}
	if err := b.apply(l); err != nil { // also without a disk: in memory the report goes on
		return err
	}
	return b.failed
}

// store puts a line on disk.
func (b *outbox) store(l line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encoding a line of the outbox: %w", err)
	}
	if _, err = b.file.Write(append(text, '\n')); err == nil {
		err = b.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("writing the outbox: %w", err)
	}
	return nil
}

// next returns a copy of the most urgent item that has not arrived: ends
// before beginnings before steps, each in the order in which they were first
// wanted. Steps sent after since are left out.
func (b *outbox) next(skip map[string]bool, since time.Time) (item, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	best, urgency := "", -1
	for _, key := range b.order {
		it := b.items[key]
		stale := it.done == it.version
		if skip[key] || stale && (it.step == nil || it.stepSent.After(since)) {
			continue
		}
		u := 1
		switch {
		case stale:
			u = 0
		case it.check == nil || it.check.Status == report.CheckCompleted:
			u = 2
		}
		if u > urgency {
			best, urgency = key, u
		}
	}
	if best == "" {
		return item{}, false
	}
	return *b.items[best], true
}

// release gives the file up.
func (b *outbox) release() error {
	var unlocked error
	if file, ok := b.file.(*os.File); ok { // a child that is just being started has it open for a moment, too
		unlocked = syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
	}
	if err := errors.Join(unlocked, b.file.Close()); err != nil {
		return fmt.Errorf("closing the outbox: %w", err)
	}
	return nil
}
