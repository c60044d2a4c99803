// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:10:25Z
// Spec: openspec/specs/leases/spec.md#requirement-clocks-that-differ
// Diagram: openspec/specs/leases/diagram.md#life-of-a-lease

package gitref

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Offset implements state.Clock: whoever wrote the newest commit had a clock that
// showed its time then, so that it shows more now.
func (b *Backend) Offset(ctx context.Context) (state.Offset, error) {
	if err := b.one.enter(ctx); err != nil {
		return state.Offset{}, fmt.Errorf("reading the state: %w", err)
	}
	defer b.one.leave()
	if err := b.refresh(ctx); err != nil {
		return state.Offset{}, explained("reading the state", err)
	}
	off := state.Offset{AtLeast: true, Of: "that of the host which wrote the newest change of the state"}
	if b.now.commit == "" {
		return off, nil
	}
	line, err := b.clone.line(ctx, call{args: []string{"log", "-1", "--format=%ct", b.now.commit}})
	if err != nil {
		return state.Offset{}, explained("reading the state", err)
	}
	seconds, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		return state.Offset{}, fmt.Errorf("reading the time of the newest commit: %w", err)
	}
	off.Behind = time.Until(time.Unix(seconds, 0))
	return off, nil
}
