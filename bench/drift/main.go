// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:32:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

// Command drift measures what it costs to look for drift. Live it counts the requests for a hundred
// artifacts on one platform, on each of the lab's three: a look at their existence, names and template flags, and
// one at all of their facts. Sessions count. There is no other side: nothing that people use today answers this
// question.
//
// Goal: live, 100 artifacts on one platform: existence and name ≤ 20 requests, all facts ≤ 1 an artifact + 10
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
	"github.com/packer-hybrid/packer-hybrid/lab"
)

const limit = 10 * time.Minute // of the whole measurement

func main() {
	lab.Main()
	timing.Main("drift", limit, measure)
}

// measure measures each part, and tells the worst of them.
func measure(ctx context.Context, _ string) error {
	ratio, err := live(ctx)
	if err != nil {
		return fmt.Errorf("live: %w", err)
	}
	return timing.Verdict("drift", ratio, 1, ratio <= 1)
}
