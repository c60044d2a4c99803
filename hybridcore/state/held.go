// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:47:00Z
// Spec: openspec/specs/state/spec.md#requirement-leases
// Diagram: openspec/specs/state/diagram.md#lease

package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// claim is what tells one acquisition of a key from all others.
type claim struct {
	serial            uint64
	run, host, bootID string
	pid               int
}

func claimOf(l hybridcore.Lease) claim {
	return claim{serial: l.Serial, run: l.RunID, host: l.Host, bootID: l.BootID, pid: l.PID}
}

// in says whether a stored lease is that of the claim.
func (c claim) in(stored []byte) bool {
	var f leaseFile
	return decode(stored, &f) == nil && claimOf(f.Lease) == c
}

// mark tells the claim from all others to the backend.
func (c claim) mark() string { return fmt.Sprintf("%s %d\n", c.run, c.serial) }

// markOf is the mark of a holder; empty for a lease that nobody holds.
func markOf(l *hybridcore.Lease) string {
	if l == nil || l.Phase == hybridcore.PhaseReleased {
		return ""
	}
	return claimOf(*l).mark()
}

// Held is a lease of this process. Its methods may be called by several
// goroutines. Once another host has taken the lease over, all of them but
// Release fail with a LostError and change nothing.
type Held struct {
	s    *Store
	key  string
	mine claim
	wall time.Time     // of the acquisition
	up   time.Duration // of the acquisition, by the clock that nobody sets

	mu    sync.Mutex
	lease hybridcore.Lease
	hold  Hold // nil when it was released
}

// Check says whether the lease is still this process's. Within a change of the
// snapshot that holds until the change is stored: whoever takes the lease over
// puts a snapshot too, so that the change begins anew.
func (h *Held) Check(ctx context.Context) error {
	_, err := h.check(ctx)
	return err
}

// check is Check with the number of the lease.
func (h *Held) check(ctx context.Context) (uint64, error) {
	n, now, err := h.s.readLease(ctx, h.key)
	switch {
	case err != nil:
		return 0, err
	case now == nil:
		return 0, &LostError{Key: h.key, RunID: h.mine.run}
	case claimOf(*now) != h.mine || now.Phase == hybridcore.PhaseReleased:
		return 0, &LostError{Key: h.key, RunID: h.mine.run, By: now}
	}
	return n, nil
}

// Renew lets the lease last for another Term.
func (h *Held) Renew(ctx context.Context) error {
	return h.change(ctx, "renewing", func(*hybridcore.Lease) {})
}

// Update stores a new phase. It is on disk when the call returns.
func (h *Held) Update(ctx context.Context, phase string) error {
	if !hybridcore.IsPhase(phase) {
		return hybridcore.Usagef("%.40q is not a phase of a lease", phase)
	}
	return h.change(ctx, "updating", func(l *hybridcore.Lease) { l.Phase = phase })
}

// Past lists the ended runs of the target that are to be looked for.
func (h *Held) Past() []hybridcore.Lease {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.lease.Past)
}

// Looked notes that the platform was looked through for what an ended run left,
// which may be the holder's own. It returns from when on a look that finds
// nothing is the last one; zero when this one was. A run is done with when
// nothing of it was found for hybridcore.LateWindow.
func (h *Held) Looked(ctx context.Context, runID string, found bool) (again time.Time, err error) {
	err = h.change(ctx, "noting a look in", func(l *hybridcore.Lease) {
		past := ended(*l, runID != l.RunID)
		i := slices.IndexFunc(past, func(p hybridcore.Lease) bool { return p.RunID == runID })
		if i < 0 {
			return
		}
		now := h.s.now()
		if since := past[i].QuietSince; found || since.IsZero() || since.After(now) {
			past[i].QuietSince = now
		}
		if again = past[i].LookAgain(); !now.Before(again) {
			again = time.Time{}
			past = slices.Delete(past, i, i+1)
		}
		l.Past = past
	})
	return again, err
}

// Left notes which CDs the Packer of a run left, of the holder or a past one, so
// that its scratch directory need not stay.
func (h *Held) Left(ctx context.Context, runID string, media []string) error {
	return h.change(ctx, "noting what Packer left in", func(l *hybridcore.Lease) {
		if l.RunID == runID {
			l.Media = media
		}
		l.Past = slices.Clone(l.Past)
		for i := range l.Past {
			if l.Past[i].RunID == runID {
				l.Past[i].Media = media
			}
		}
	})
}

// Release gives the target free; the serial and the past stay on disk. An
// uncleaned run becomes a past one. The second and later calls do nothing, and
// neither does the release of a lease that was lost.
func (h *Held) Release(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hold == nil {
		return nil
	}
	err := h.store(ctx, "releasing", func(l *hybridcore.Lease) {
		l.Past = ended(*l, l.Phase != hybridcore.PhaseUncleaned)
		l.Phase = hybridcore.PhaseReleased
	})
	if _, lost := errors.AsType[*LostError](err); lost {
		err = nil // it is somebody else's
	}
	_ = h.hold.Unlock() // closing frees it in any case
	h.hold = nil
	h.s.held.Delete(h)
	return err
}

// change stores a changed lease with a new expiry, unless the lease was lost.
func (h *Held) change(ctx context.Context, doing string, edit func(*hybridcore.Lease)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hold == nil {
		return fmt.Errorf("%s the lease of %s: it was released", doing, h.key)
	}
	return h.store(ctx, doing, edit)
}

// store is change for who has the mutex and knows that the lease is held.
func (h *Held) store(ctx context.Context, doing string, edit func(*hybridcore.Lease)) error {
	n, err := h.check(ctx)
	if err != nil {
		return err
	}
	if err := h.hold.Again(ctx); err != nil {
		return fmt.Errorf("locking the lease of %s again: %w", h.key, err)
	}
	next := h.lease
	edit(&next)
	next.Expires = h.expiry()
	text, err := encodeLease(next)
	if err != nil {
		return err
	}
	stored, err := Chain{h.s.b, LeaseFolder(h.key)}.Next(ctx, n, text, h.mine.in)
	if err != nil {
		return h.s.writeError(doing+" the lease of "+h.key, err)
	}
	if !stored { // only who takes a lease over puts its next number too
		if _, err = h.check(ctx); err == nil {
			err = hybridcore.Blockedf("%s the lease of %s: another process writes it", doing, h.key)
		}
		return err
	}
	h.lease = next
	return nil
}

// expiry is when a lease that is taken or renewed now ends. A clock that was set
// back since the lease was taken does not shorten it.
func (h *Held) expiry() time.Time {
	wall, up := h.s.clock()
	if passed := h.wall.Add(up - h.up); passed.After(wall) {
		wall = passed
	}
	return wall.Add(Term)
}
