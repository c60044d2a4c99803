// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package work

import (
	"context"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
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
			return &cirun.LaterError{After: w.steps.rest(delay(task, err)), Err: err}
		}
		for range workers {
			all.Go(func() { w.with.Store.Work(ctx, queue, step, w.steps.failed) })
		}
	}
	start(jobs.QueueDispatch, 4, w.dispatch)
	start(jobs.QueueFollow, 3, w.runs.follow)
	start(jobs.QueueWake, 1, w.runs.wake)
	start(jobs.QueueCancel, 1, w.runs.cancel)
	start(jobs.QueueExpire, 1, w.expire)
	start(jobs.QueueTell, 2, w.messages.show)
	all.Wait()
}
