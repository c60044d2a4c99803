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
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Held is a lease of this process. Its methods may be called by several goroutines.
type Held struct {
	mu    sync.Mutex
	d     *Dir
	lease hybridcore.Lease
	lock  *flock.Flock
}

// Acquire takes the lease of lease.Key (ENV/IMAGE@PLATFORM); it is on disk when
// the call returns. Host, boot ID and process are those of this process; empty
// owner, time and phase become USER@HOST, now and "starting". When the former
// holder is dead its lease is replaced and returned, so that what its run
// left can be found. When the holder lives the error is a HeldError.
func (d *Dir) Acquire(ctx context.Context, lease hybridcore.Lease) (*Held, *hybridcore.Lease, error) {
	if !keyRule.MatchString(lease.Key) {
		return nil, nil, hybridcore.Usagef("%.200q is not the key ENV/IMAGE@PLATFORM of a target", lease.Key)
	}
	if err := hybridcore.CheckName("run", lease.RunID); err != nil {
		return nil, nil, err
	}
	d.fill(&lease)
	giveUp := time.Now().Add(lockWait)
	for {
		held, dead, err := d.tryAcquire(ctx, lease)
		if !errors.Is(err, errReleasing) {
			return held, dead, err
		}
		if time.Now().After(giveUp) {
			file := quote(filepath.Join(d.path, leaseLock(lease.Key)))
			return nil, nil, hybridcore.Blockedf("%s is locked by a process that has no lease; see which one with: fuser -v %s", lease.Key, file)
		}
		select { // the holder has removed its lease and is about to unlock
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("acquiring %s: %w", lease.Key, ctx.Err())
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
		lease.At = time.Now().UTC()
	}
	if lease.Phase == "" {
		lease.Phase = "starting"
	}
}

// errReleasing says that a key is locked, but has no lease.
var errReleasing = errors.New("the lease is being released")

// tryAcquire works under the writer's lock: whoever sees a key locked sees
// its holder's lease too.
func (d *Dir) tryAcquire(ctx context.Context, lease hybridcore.Lease) (_ *Held, _ *hybridcore.Lease, err error) {
	unlock, err := d.lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	if err := d.mkdir(leasesDir); err != nil {
		return nil, nil, d.writeError("acquiring "+lease.Key, err)
	}
	lock := d.newLock(leaseLock(lease.Key))
	free, err := lock.TryLock()
	if err != nil {
		return nil, nil, d.writeError("acquiring "+lease.Key, err)
	}
	defer func() {
		if err != nil {
			_ = lock.Unlock() // closing frees it in any case
		}
	}()
	former, err := d.readLease(lease.Key)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !free:
		return nil, nil, errReleasing
	case errors.Is(err, fs.ErrNotExist):
		former = nil
	case err != nil:
		return nil, nil, err
	default:
		if live, why := d.host.judge(*former, !free); live {
			return nil, nil, &HeldError{Lease: *former, File: filepath.Join(d.path, leaseName(lease.Key)), Why: why, Remote: free}
		}
	}
	held := &Held{d: d, lease: lease, lock: lock}
	if err := held.write(); err != nil {
		return nil, nil, d.writeError("acquiring "+lease.Key, errors.Join(err, d.restoreLease(lease.Key, former)))
	}
	d.held.Store(held, true)
	return held, former, nil
}

// write puts the lease on disk.
func (h *Held) write() error {
	text, err := encodeLease(h.lease)
	if err != nil {
		return err
	}
	temp := leaseTemp(h.lease.Key)
	if err := h.d.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing what a killed holder left: %w", err)
	}
	if err := h.d.place(temp, leaseName(h.lease.Key), text); err != nil {
		return err
	}
	return h.d.syncDir(leasesDir)
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

// Update stores a new phase. It is on disk when the call returns.
func (h *Held) Update(phase string) error {
	if !hybridcore.IsPhase(phase) {
		return hybridcore.Usagef("%.40q is not a phase of a lease", phase)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lock == nil {
		return fmt.Errorf("updating the lease of %s: it was released", h.lease.Key)
	}
	former := h.lease.Phase
	h.lease.Phase = phase
	if err := h.write(); err != nil {
		h.lease.Phase = former
		return h.d.writeError("updating the lease of "+h.lease.Key, err)
	}
	return nil
}

// Release gives the target free. The second and later calls do nothing.
func (h *Held) Release() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lock == nil {
		return nil
	}
	err := h.d.root.Remove(leaseName(h.lease.Key))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // somebody removed it by hand
	}
	if err == nil {
		err = h.d.syncDir(leasesDir)
	}
	err = errors.Join(err, h.lock.Unlock())
	h.lock = nil
	h.d.held.Delete(h)
	if err != nil {
		return fmt.Errorf("releasing the lease of %s: %w", h.lease.Key, err)
	}
	return nil
}

// LeaseStatus is a lease with what can be told of its holder.
type LeaseStatus struct {
	hybridcore.Lease
	Live bool
	Why  string // why it counts as live or dead
}

// Leases lists all leases by key. Leases that cannot be trusted make a
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
			live, why := d.host.judge(*lease, d.locked(key))
			all = append(all, LeaseStatus{Lease: *lease, Live: live, Why: why})
		}
	}
	return all, errors.Join(damage...)
}

// locked says whether somebody holds the kernel lock of a key.
func (d *Dir) locked(key string) bool {
	lock := flock.New(filepath.Join(d.path, leaseLock(key)), flock.SetFlag(os.O_RDONLY|syscall.O_NOFOLLOW))
	free, err := lock.TryRLock()
	if err != nil {
		return false // no lock file: nobody can hold it
	}
	_ = lock.Unlock() // closing frees it in any case
	return !free
}
