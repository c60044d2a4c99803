// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:58:00Z
// Spec: openspec/specs/leases/spec.md#requirement-a-lease-ends-on-another-host
// Diagram: openspec/specs/leases/diagram.md#fencing

package build

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// pulse renews the leases of a run while it works: one goroutine, whatever the
// number of targets.
type pulse struct {
	log  *slog.Logger
	stop func() // ends the goroutine and waits for it

	mu   sync.Mutex
	held map[*state.Held]context.CancelCauseFunc
}

// beat starts a pulse. It goes on when the run is cancelled: Packer cleans up then.
func (s Stage) beat(ctx context.Context) *pulse {
	every := s.Renewal
	if every == 0 {
		every = state.Renewal
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &pulse{log: s.Project.Log, held: map[*state.Held]context.CancelCauseFunc{}}
	var alive sync.WaitGroup
	alive.Go(func() {
		for tick := time.Tick(every); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick:
				p.renew(ctx)
			}
		}
	})
	p.stop = func() {
		cancel()
		alive.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, end := range p.held {
			end(nil)
		}
		clear(p.held)
	}
	return p
}

// hold renews a lease from now on. The context that it returns ends with a
// state.LostError as its cause when the lease is lost.
func (p *pulse) hold(ctx context.Context, held *state.Held) context.Context {
	ctx, lost := context.WithCancelCause(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held[held] = lost
	return ctx
}

// drop ends the renewals of a lease that is about to be released.
func (p *pulse) drop(held *state.Held) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if end := p.held[held]; end != nil {
		end(nil)
	}
	delete(p.held, held)
}

// renew renews all leases once.
func (p *pulse) renew(ctx context.Context) {
	p.mu.Lock()
	all := maps.Clone(p.held)
	p.mu.Unlock()
	for held, end := range all {
		err := held.Renew(ctx)
		if _, lost := errors.AsType[*state.LostError](err); lost {
			end(err)
			p.drop(held)
			continue
		}
		if err != nil && ctx.Err() == nil {
			p.log.Warn("lease not renewed", "error", err)
		}
	}
}

// lost returns why a context ended when that was the loss of a lease.
func lost(ctx context.Context) error {
	if err, ok := errors.AsType[*state.LostError](context.Cause(ctx)); ok {
		return err
	}
	return nil
}
