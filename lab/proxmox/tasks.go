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
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

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
func (s *Server) run(r *http.Request, j job) (any, error) {
	now := time.Now()
	t := &task{kind: j.kind, id: j.id, started: now, done: make(chan struct{})}
	s.mu.Lock()
	t.number = len(s.tasks) + 1
	t.upid = fmt.Sprintf("UPID:%s:%08X:%08X:%08X:%s:%s:%s:", NodeName, 4000+t.number, t.number, now.Unix(), j.kind, j.id,
		s.config.Credentials.TokenID)
	s.tasks = append(s.tasks, t)
	s.mu.Unlock()
	rule, _ := fault.Task(r.Context())
	s.work.Go(func() {
		err := s.carryOut(j, rule)
		t.exit = "OK"
		if err != nil {
			t.exit = err.Error()
			s.config.Log("task %s: %v", t.upid, err)
		}
		t.ended = time.Now()
		close(t.done)
	})
	waited, cancel := context.WithTimeout(s.ctx, s.config.TaskWait)
	defer cancel()
	select {
	case <-t.done:
	case <-waited.Done():
	}
	return t.upid, nil
}

// carryOut does the work, or delays or fails it as a rule says.
func (s *Server) carryOut(j job, rule fault.Rule) error {
	for _, next := range []func(){j.half, nil} {
		if rule.Delay > 0 {
			select {
			case <-time.After(rule.Delay / 2):
			case <-s.ctx.Done():
				return fmt.Errorf("interrupted: %w", s.ctx.Err())
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

// findTask returns the task of a call's path.
func (s *Server) findTask(r *http.Request) (*task, error) {
	upid := r.PathValue("upid")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tasks {
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

// taskStatus answers GET tasks/{upid}/status.
func (s *Server) taskStatus(r *http.Request, _ params) (any, error) {
	t, err := s.findTask(r)
	if err != nil {
		return nil, err
	}
	return t.document(s.config.Credentials.TokenID), nil
}

// taskLog answers GET tasks/{upid}/log.
func (s *Server) taskLog(r *http.Request, _ params) (any, error) {
	t, err := s.findTask(r)
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

// listTasks answers GET tasks, the newest first.
func (s *Server) listTasks(*http.Request, params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]any, 0, len(s.tasks))
	for _, t := range slices.Backward(s.tasks) {
		list = append(list, t.document(s.config.Credentials.TokenID))
	}
	return list, nil
}
