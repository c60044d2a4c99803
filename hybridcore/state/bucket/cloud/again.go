// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:23:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package cloud

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// again asks until there is an answer that counts.
func (b *Backend) again(ctx context.Context, ask func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err //nolint:wrapcheck // by the caller
	}
	if err := b.opened(); err != nil {
		return err
	}
	begin := time.Now()
	for pause := b.times.pause; ; pause = min(2*pause, b.times.longest) {
		b.requests.Add(1)
		within, cancel := context.WithTimeout(ctx, b.times.attempt)
		err := ask(within)
		cancel()
		if given := ctx.Err(); err != nil && given != nil {
			return errors.Join(given, shortened(err))
		}
		if is(err) != isPassing || time.Since(begin) > b.times.total {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), shortened(err))
		case <-time.After(pause/2 + rand.N(pause/2+1)): //nolint:gosec // so that those who wait do not come at once
		}
	}
}
