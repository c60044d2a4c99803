// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:50:42Z
// Spec: openspec/specs/full-validation/spec.md#requirement-faster-than-the-loop
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package project

import (
	"sync"
	"sync/atomic"
)

// Parallel does n pieces of work, so many at once, and returns when all are done.
func Parallel(n, workers int, do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, workers) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}
