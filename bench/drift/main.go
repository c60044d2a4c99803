// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:32:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

// Command drift measures what it costs to look for drift. The local look, a whole process, is held against git status
// in the project and in each of its checkouts, one after the other; the repositories have a generated history, and
// nothing has changed. Live it counts the requests for a hundred artifacts on one platform, on each of the lab's
// three: a look at their existence, names and template flags, and one at all of their facts. Sessions count. Live
// there is no other side: nothing that people use today answers this question. The argument local, or live, measures
// that alone.
//
// Goal: local at most the time of git status over the same repositories; live, 100 artifacts on one platform: existence
// and name ≤ 20 requests, all facts ≤ 1 an artifact + 10
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
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
func measure(ctx context.Context, dir string) error {
	wanted := func(part string) bool { return len(os.Args) < 2 || slices.Contains(os.Args[1:], part) }
	worst := 0.0
	if wanted("local") {
		ratio, err := local(ctx, dir)
		if err != nil {
			return fmt.Errorf("local: %w", err)
		}
		fmt.Printf("drift-local ratio=%.2f goal=1.00\n", ratio)
		worst = max(worst, ratio)
	}
	if wanted("live") {
		ratio, err := live(ctx)
		if err != nil {
			return fmt.Errorf("live: %w", err)
		}
		fmt.Printf("drift-live ratio=%.2f goal=1.00\n", ratio)
		worst = max(worst, ratio)
	}
	return timing.Verdict("drift", worst, 1, worst <= 1)
}
