// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:06:11Z
// Spec: openspec/specs/state/spec.md#requirement-leases
// Diagram: openspec/specs/state/diagram.md#lease

package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// How long leases last. The holder renews its lease each Renewal, so that four
// renewals in a row may fail before another host may take it over.
const (
	Term    = 5 * time.Minute // of a lease that is not renewed
	Renewal = time.Minute     // between two renewals
	Skew    = 2 * time.Minute // by how much the clocks of two hosts may differ
)

// Acquire takes the lease of lease.Key (ENV/IMAGE@PLATFORM); it is on disk when
// the call returns. Host, boot ID, process, serial and expiry are set here; empty
// owner, time and phase become USER@HOST, now and "starting". When the former
// holder is dead its run is the last in the new lease's past, so that what it
// left can be found. When the holder lives the error is a HeldError.
func (d *Dir) Acquire(ctx context.Context, lease hybridcore.Lease) (*Held, error) {
	if !keyRule().MatchString(lease.Key) {
		return nil, hybridcore.Usagef("%.200q is not the key ENV/IMAGE@PLATFORM of a target", lease.Key)
	}
	if err := hybridcore.CheckName("run", lease.RunID); err != nil {
		return nil, err
	}
	d.fill(&lease)
	for giveUp := time.NewTimer(lockWait); ; {
		held, err := d.tryAcquire(ctx, lease)
		if !errors.Is(err, errReleasing) {
			return held, err
		}
		select { // the holder has released its lease and is about to unlock
		case <-giveUp.C:
			file := quote(filepath.Join(d.path, leaseLock(lease.Key)))
			return nil, hybridcore.Blockedf("%s is locked by a process that has no lease; see which one with: fuser -v %s", lease.Key, file)
		case <-ctx.Done():
			return nil, fmt.Errorf("acquiring %s: %w", lease.Key, ctx.Err())
		case <-time.After(lockRetry):
		}
	}
}

func (d *Dir) fill(lease *hybridcore.Lease) {
	lease.Host, lease.BootID, lease.PID = d.host.name, d.host.boot, os.Getpid()
	if lease.Owner == "" {
		lease.Owner = d.host.user + "@" + d.host.name
	}
	if lease.At.IsZero() {
		lease.At = d.now()
	}
	if lease.Phase == "" {
		lease.Phase = "starting"
	}
}

// errReleasing says that a key is locked, but nobody holds its lease.
var errReleasing = errors.New("the lease is being released")

// tryAcquire works under the writer's lock: whoever sees a key locked sees
// its holder's lease too.
func (d *Dir) tryAcquire(ctx context.Context, lease hybridcore.Lease) (_ *Held, err error) {
	unlock, err := d.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := d.mkdir(leasesDir); err != nil {
		return nil, d.writeError("acquiring "+lease.Key, err)
	}
	former, err := d.readLease(lease.Key)
	if errors.Is(err, fs.ErrNotExist) {
		former, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	lock, is, err := d.tryKey(lease.Key, former)
	if err != nil {
		return nil, d.writeError("acquiring "+lease.Key, err)
	}
	defer func() {
		if err != nil && lock != nil {
			_ = lock.Unlock() // closing frees it in any case
		}
	}()
	if former == nil || former.Phase == hybridcore.PhaseReleased {
		if is == keyHeld {
			return nil, errReleasing
		}
	} else if live, why := d.judge(*former, is); live {
		return nil, &HeldError{Lease: *former, Why: why, Remote: !d.host.has(*former)}
	}
	held := d.hold(lease, former, lock)
	err = d.mark(lease.Key, lock, held.mine, former)
	if err == nil {
		err = d.writeLease(held.lease)
	}
	if err != nil {
		return nil, d.writeError("acquiring "+lease.Key, errors.Join(err, d.restoreLease(lease.Key, former)))
	}
	d.held.Store(held, true)
	return held, nil
}

// hold makes the lease that comes after a former one.
func (d *Dir) hold(lease hybridcore.Lease, former *hybridcore.Lease, lock *kernelLock) *Held {
	lease.Serial, lease.Past = 1, nil
	if former != nil {
		lease.Serial, lease.Past = former.Serial+1, ended(*former, false)
	}
	held := &Held{d: d, key: lease.Key, mine: claimOf(lease), lock: lock}
	held.wall, held.up = d.clock()
	lease.Expires = held.expiry()
	held.lease = lease
	return held
}

// ended lists the runs of a lease that are over and of which something may be
// on the platform: its past, and its own run unless that lives.
func ended(l hybridcore.Lease, live bool) []hybridcore.Lease {
	past := slices.Clone(l.Past)
	own := slices.ContainsFunc(past, func(p hybridcore.Lease) bool { return p.RunID == l.RunID })
	if own || live || l.Phase == hybridcore.PhaseReleased || l.Phase == hybridcore.PhaseReaping {
		return past
	}
	l.Past = nil
	return append(past, l)
}

// writeLease puts a lease on disk.
func (d *Dir) writeLease(lease hybridcore.Lease) error {
	text, err := encodeLease(lease)
	if err != nil {
		return err
	}
	temp := leaseTemp(lease.Key)
	if err := d.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing what a killed holder left: %w", err)
	}
	if err := d.place(temp, leaseName(lease.Key), text); err != nil {
		return err
	}
	return d.syncDir(leasesDir)
}

// restoreLease puts back what was there before a failed write.
func (d *Dir) restoreLease(key string, former *hybridcore.Lease) error {
	if former == nil {
		if err := d.root.Remove(leaseName(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("taking the lease back: %w", err)
		}
		return nil
	}
	text, err := encodeLease(*former)
	if err != nil {
		return err
	}
	if now, err := d.readFile(leaseName(key)); err == nil && bytes.Equal(now, text) {
		return nil
	}
	return d.place(leaseTemp(key), leaseName(key), text)
}

// LeaseStatus is a lease with what can be told of its holder.
type LeaseStatus struct {
	hybridcore.Lease
	Live bool
	Why  string // why it counts as live or dead
}

// Ended lists the runs of the target that are over and of which something may
// be on the platform, oldest first.
func (s LeaseStatus) Ended() []hybridcore.Lease { return ended(s.Lease, s.Live) }

// Leases lists by key the leases that somebody holds or that have ended runs.
// Leases that cannot be trusted make a
// BlockedError that comes together with the others.
func (d *Dir) Leases(ctx context.Context) ([]LeaseStatus, error) {
	entries, err := fs.ReadDir(d.root.FS(), leasesDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, d.unreadable(leasesDir, err)
	}
	unlock, err := d.lock(ctx) // a probe must not look like a holder to Acquire
	switch {
	case err == nil:
		defer unlock()
	case !errors.Is(err, syscall.EROFS) && !errors.Is(err, fs.ErrPermission):
		return nil, err
	}
	var all []LeaseStatus
	var damage []error
	for _, e := range entries {
		file, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok || strings.HasPrefix(file, tempPrefix) {
			continue
		}
		key := strings.Replace(file, "+", "/", 1)
		lease, err := d.readLease(key)
		switch {
		case errors.Is(err, fs.ErrNotExist): // released since
		case err != nil:
			damage = append(damage, err)
		default:
			status := LeaseStatus{Lease: *lease, Why: "it was released"}
			if lease.Phase != hybridcore.PhaseReleased {
				status.Live, status.Why = d.judge(*lease, d.keyOf(*lease))
			}
			if status.Live || len(status.Ended()) > 0 {
				all = append(all, status)
			}
		}
	}
	return all, errors.Join(damage...)
}
