// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:28Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-tasks
// Diagram: openspec/specs/lab-proxmox/diagram.md#life-of-a-machine

package proxmox

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// tasks is the work that calls started.
type tasks struct {
	user string        // whose they are
	wait time.Duration // how long a call waits for the task that it started
	log  func(format string, args ...any)
	ctx  context.Context //nolint:containedctx // of tasks, which outlive the calls that start them
	work sync.WaitGroup

	mu  sync.Mutex
	all []*task
}

// task is work that a call started.
type task struct {
	upid, kind, id string
	number         int
	started        time.Time
	done           chan struct{}
	exit           string // set before done is closed
	ended          time.Time
}

// job is what a task is to do.
type job struct {
	kind string // task type, such as qmstart
	id   string // of the virtual machine; empty: none
	half func() // what is to be seen halfway; nil: nothing
	do   func() error
	undo func() // when a fault rule fails the work instead; nil: nothing
}

// run starts a task and returns its UPID, after the task or after the settling time.
func (w *tasks) run(r *http.Request, j job) (any, error) {
	now := time.Now()
	t := &task{kind: j.kind, id: j.id, started: now, done: make(chan struct{})}
	w.mu.Lock()
	t.number = len(w.all) + 1
	t.upid = fmt.Sprintf("UPID:%s:%08X:%08X:%08X:%s:%s:%s:", NodeName, 4000+t.number, t.number, now.Unix(), j.kind, j.id,
		w.user)
	w.all = append(w.all, t)
	w.mu.Unlock()
	rule, _ := fault.Task(r.Context())
	w.work.Go(func() {
		err := w.carryOut(j, rule)
		t.exit = "OK"
		if err != nil {
			t.exit = err.Error()
			w.log("task %s: %v", t.upid, err)
		}
		t.ended = time.Now()
		close(t.done)
	})
	waited, cancel := context.WithTimeout(w.ctx, w.wait)
	defer cancel()
	select {
	case <-t.done:
	case <-waited.Done():
	}
	return t.upid, nil
}

// carryOut does the work, or delays or fails it as a rule says.
func (w *tasks) carryOut(j job, rule fault.Rule) error {
	for _, next := range []func(){j.half, nil} {
		if rule.Delay > 0 {
			select {
			case <-time.After(rule.Delay / 2):
			case <-w.ctx.Done():
				return fmt.Errorf("interrupted: %w", w.ctx.Err())
			}
		}
		if next != nil {
			next()
		}
	}
	if rule.Reason != "" {
		if j.undo != nil {
			j.undo()
		}
		return refuse("%s", rule.Reason)
	}
	return j.do()
}

// find returns the task of a call's path.
func (w *tasks) find(r *http.Request) (*task, error) {
	upid := r.PathValue("upid")
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.all {
		if t.upid == upid {
			return t, nil
		}
	}
	if !strings.HasPrefix(upid, "UPID:") {
		return nil, invalid("upid", "unable to parse worker upid '"+upid+"'")
	}
	return nil, refuse("no such task")
}

// document is a task as the API shows it. exitstatus is absent while it runs.
func (t *task) document(user string) map[string]any {
	d := map[string]any{
		"upid": t.upid, "node": NodeName, "pid": 4000 + t.number, "pstart": t.number, "starttime": t.started.Unix(),
		"type": t.kind, "id": t.id, "user": user, "status": "running",
	}
	select {
	case <-t.done:
		d["status"], d["exitstatus"], d["endtime"] = "stopped", t.exit, t.ended.Unix()
	default:
	}
	return d
}

// status answers GET tasks/{upid}/status.
func (w *tasks) status(r *http.Request, _ params) (any, error) {
	t, err := w.find(r)
	if err != nil {
		return nil, err
	}
	return t.document(w.user), nil
}

// showLog answers GET tasks/{upid}/log.
func (w *tasks) showLog(r *http.Request, _ params) (any, error) {
	t, err := w.find(r)
	if err != nil {
		return nil, err
	}
	line := "TASK running"
	select {
	case <-t.done:
		if line = "TASK " + t.exit; t.exit != "OK" {
			line = "TASK ERROR: " + t.exit
		}
	default:
	}
	return []any{map[string]any{"n": 1, "t": line}}, nil
}

// list answers GET tasks, the newest first.
func (w *tasks) list(*http.Request, params) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]any, 0, len(w.all))
	for _, t := range slices.Backward(w.all) {
		list = append(list, t.document(w.user))
	}
	return list, nil
}
