// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:06:46Z
// Spec: openspec/specs/state/spec.md#requirement-leases
// Diagram: openspec/specs/state/diagram.md#lease

package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// LeasesFolder holds a folder of generations for each target key. The '/' of a
// key becomes '+', which no name has.
const LeasesFolder = "leases/"

// LeaseFolder holds the generations of the lease of a key.
func LeaseFolder(key string) string { return LeasesFolder + strings.ReplaceAll(key, "/", "+") + "/" }

// leaseKey is the key of a lease's name; empty for what is none.
func leaseKey(name string) string {
	folder, _, ok := strings.Cut(strings.TrimPrefix(name, LeasesFolder), "/")
	key := strings.Replace(folder, "+", "/", 1)
	if !ok || !keyRule.MatchString(key) {
		return ""
	}
	return key
}

// leaseFile is a lease as it is stored.
type leaseFile struct {
	FormatVersion int              `json:"format_version"`
	SHA256        string           `json:"sha256"`
	Lease         hybridcore.Lease `json:"lease"`
}

// HeldError says that a living run holds the target. Exit code 3.
type HeldError struct {
	Lease hybridcore.Lease
	Why   string // why the holder counts as living
	// Remote says that the holder is on another host.
	Remote bool
	// Known says that the holder is known to live: its process shows it.
	Known bool
}

// Error names the holder and what to do.
func (e *HeldError) Error() string {
	l := e.Lease
	text := fmt.Sprintf("%s is held by run %s of %s (host %s, process %d, %s since %s): %s",
		printable(l.Key), printable(l.RunID), printable(l.Owner), printable(l.Host), l.PID, printable(
			l.Phase), l.At.UTC().Format(time.RFC3339), printable(e.Why))
	if e.Remote {
		return text + fmt.Sprintf(
			"\n  hint: wait for that run; if %s does not renew the lease, it ends at %s, and the next run takes the target "+
				"over and removes what this one left; for one that cannot end by itself: packer-hybrid lease release --help",
			printable(l.Host), deadline(l).UTC().Format(time.RFC3339))
	}
	return text + fmt.Sprintf("\n  hint: wait for that run, or cancel it with: kill -TERM %d", l.PID)
}

// Unwrap makes the error a BlockedError.
func (e *HeldError) Unwrap() error { return hybridcore.Blockedf("%s is held", printable(e.Lease.Key)) }

// LostError says that a lease is not this process's any more: it slept, or could
// not reach the state, for longer than a lease lasts.
type LostError struct {
	Key, RunID string
	By         *hybridcore.Lease // the lease that is there now; nil when there is none
}

// Error says who holds the target now and what that means.
func (e *LostError) Error() string {
	text := fmt.Sprintf("the lease of %s, held by run %s, was removed from the state", printable(e.Key),
		printable(e.RunID))
	if f := e.freed(); f != nil {
		text = fmt.Sprintf("the lease of %s was taken from run %s by %s at %s: %s", printable(e.Key), printable(e.RunID),
			printable(f.By), f.At.UTC().Format(time.RFC3339), printable(f.Reason))
	} else if l := e.By; l != nil {
		text = fmt.Sprintf("the lease of %s was lost: run %s of %s (host %s, process %d) took it over at %s, because run "+
			"%s had not renewed it for %s",
			printable(e.Key), printable(l.RunID), printable(l.Owner), printable(l.Host), l.PID, l.At.UTC().Format(
				time.RFC3339), printable(e.RunID), Term+Skew)
	}
	return text + "\n  hint: what this run made of the target is not recorded as current; see packer-hybrid status, " +
		"then build it again"
}

// freed says who took the lease from the run by hand; nil for nobody.
func (e *LostError) freed() *hybridcore.Freed {
	if e.By == nil {
		return nil
	}
	i := slices.IndexFunc(e.By.Past, func(l hybridcore.Lease) bool { return l.RunID == e.RunID })
	if i < 0 {
		return nil
	}
	return e.By.Past[i].Freed
}

// printable is a text of somebody else's on one line, bounded.
func printable(s string) string { return text.Line(fmt.Sprintf("%.200s", s)) }

// readLease reads and checks the lease of a key; number 0 when there is none.
func (s *Store) readLease(ctx context.Context, key string) (uint64, *hybridcore.Lease, error) {
	n, data, err := Chain{s.b, LeaseFolder(key)}.Newest(ctx)
	if n == 0 && err == nil {
		return 0, nil, nil
	}
	lease, err := s.checkLease(key, n, data, err)
	return n, lease, err
}

// leaseAt reads a generation of a lease, or the newest when that is gone.
func (s *Store) leaseAt(ctx context.Context, key string, n uint64) (*hybridcore.Lease, error) {
	data, err := s.b.Get(ctx, Generation(LeaseFolder(key), n))
	if errors.Is(err, fs.ErrNotExist) {
		_, lease, err := s.readLease(ctx, key)
		return lease, err
	}
	return s.checkLease(key, n, data, err)
}

// checkLease makes a lease of what was read, or says why that cannot be done.
func (s *Store) checkLease(key string, n uint64, data []byte, err error) (*hybridcore.Lease, error) {
	name := Generation(LeaseFolder(key), n)
	var form FormError
	if err != nil && !errors.As(err, &form) {
		return nil, s.unreadable(name, err)
	}
	var lease *hybridcore.Lease
	if err == nil {
		lease, err = decodeLease(data, key)
	}
	if err != nil {
		return nil, s.refuse(name, err, "look on the platform for what the run left; when nothing of it is running, remove "+
			s.guide.Where(name))
	}
	return lease, nil
}

// decodeLease reads and checks the text of a lease. The error is the cause.
func decodeLease(data []byte, key string) (*hybridcore.Lease, error) {
	if err := checkVersion(data); err != nil {
		return nil, err
	}
	var f leaseFile
	if err := decode(data, &f); err != nil {
		return nil, err
	}
	body, err := encode(f.Lease)
	if err != nil {
		return nil, err
	}
	switch {
	case f.FormatVersion != formatVersion:
		return nil, FormError(fmt.Sprintf("its format version is %d, which never existed", f.FormatVersion))
	case checksum(body) != f.SHA256:
		return nil, FormError("it was changed after it was written: the sha256 does not match")
	case f.Lease.Key != key:
		return nil, FormError(fmt.Sprintf("it is the lease of %.200q", f.Lease.Key))
	}
	return &f.Lease, nil
}

// encodeLease is the text of a lease's file.
func encodeLease(lease hybridcore.Lease) ([]byte, error) {
	body, err := encode(lease)
	if err != nil {
		return nil, err
	}
	data, err := encode(leaseFile{FormatVersion: formatVersion, SHA256: checksum(body), Lease: lease})
	if err != nil {
		return nil, err
	}
	indented := jsontext.Value(data)
	if err := indented.Indent(jsontext.WithIndent("  ")); err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	return append(indented, '\n'), nil
}
