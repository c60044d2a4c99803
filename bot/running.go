// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package bot

import (
	"context"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/bot/store"
)

// Run works the queues off until the context ends. What was begun is finished.
func (w *Worker) Run(ctx context.Context) {
	var all sync.WaitGroup
	start := func(queue string, workers int, do func(context.Context, store.Task) error) {
		step := func(ctx context.Context, task store.Task) error {
			err := do(ctx, task)
			if err == nil {
				return nil
			}
			return &LaterError{After: w.rest(delay(task, err)), Err: err}
		}
		for range workers {
			all.Go(func() { w.Store.Work(ctx, queue, step, w.failed) })
		}
	}
	start(QueueDispatch, 4, w.dispatch)
	start(QueueFollow, 3, w.follow)
	start(QueueWake, 1, w.wake)
	start(QueueCancel, 1, w.cancel)
	start(QueueExpire, 1, w.expire)
	start(QueueTell, 2, w.show)
	all.Wait()
}
