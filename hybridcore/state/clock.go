// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:10:25Z
// Spec: openspec/specs/leases/spec.md#requirement-clocks-that-differ
// Diagram: openspec/specs/leases/diagram.md#life-of-a-lease

package state

import (
	"context"
	"fmt"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Clock is a backend that has a clock of its own, or has seen that of another host.
type Clock interface {
	// Offset says how far the clock of this host is from another.
	Offset(ctx context.Context) (Offset, error)
}

// Offset is how far the clock of this host is from another.
type Offset struct {
	Behind time.Duration // of this host's; negative when it is ahead
	// AtLeast says that it may be more, and that nothing tells whether this host's
	// clock is ahead.
	AtLeast bool
	Of      string // whose clock the other is
}

// KindState is the kind of a finding about the state.
const KindState = "state"

// RuleClock is the rule of the finding about a clock.
const RuleClock = "state-clock"

// Clocks warns when the clock of this host differs by more than Skew from that of the
// backend: then leases are believed too long, or not long enough.
func Clocks(ctx context.Context, s *Store) ([]hybridcore.Finding, error) {
	other, can := s.b.(Clock)
	if !can {
		return nil, nil
	}
	off, err := other.Offset(ctx)
	if err != nil {
		return nil, s.unreadable("", err)
	}
	how, by := "behind", off.Behind
	if by < 0 {
		how, by = "ahead of", -by
	}
	if by <= Skew || how == "ahead of" && off.AtLeast {
		return nil, nil
	}
	least := ""
	if off.AtLeast {
		least = "at least "
	}
	return []hybridcore.Finding{{
		Kind: KindState, Rule: RuleClock, Subject: "clock", Severity: hybridcore.Warning,
		Message: fmt.Sprintf("the clock of this host is %s%s %s %s: leases of other hosts are believed for %s more than "+
			"they last, and not for clocks that differ more", least, by.Round(time.Second), how, off.Of, Skew),
		Hint: "set the clocks of all hosts that share the state, e.g. by NTP",
	}}, nil
}
