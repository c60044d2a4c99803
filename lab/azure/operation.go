// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:18:51Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-long-running-operations
// Diagram: openspec/specs/lab-azure/diagram.md#deletion

package azure

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// Times of the faithful mode. Real deletions and captures take minutes; these leave time for a client to be
// interrupted in between.
const (
	faithfulDelete  = time.Second
	faithfulCapture = 2 * time.Second
)

// fastPoll is how long a poll of the fast mode waits for the end of its operation before it answers.
const fastPoll = 2 * time.Second

// operation is long-running work.
type operation struct {
	id      string
	running string // status while it runs: Running for deployments, InProgress otherwise
	done    chan struct{}
	failed  *armError // after done
}

// work is what an operation does. With fail it is to end in that error, as a fault rule wants it, and to
// leave behind what such a failure leaves.
type work func(ctx context.Context, fail error) error

// begin starts work in the background. A fault rule for the task of the call makes it slow or fail.
func (s *Server) begin(c *call, running string, do work) *operation {
	op := &operation{id: strings.ToLower(rand.Text()), running: running, done: make(chan struct{})}
	rule, faulty := fault.Task(c.ctx)
	var fail error
	if faulty && rule.Reason != "" {
		fail = refuse(http.StatusConflict, "InjectedFault", "%s", rule.Reason)
	}
	s.mu.Lock()
	s.operations[op.id] = op
	s.mu.Unlock()
	s.work.Go(func() {
		defer close(op.done)
		if !pause(s.ctx, rule.Delay) {
			return
		}
		if err := do(s.ctx, fail); err != nil {
			op.failed = asARM(err)
		}
	})
	return op
}

// pause waits and reports whether the simulator still runs.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retryAfter is how many seconds clients are to wait between polls.
func (s *Server) retryAfter() string {
	if s.config.Faithful {
		return "1"
	}
	return "0"
}

// operationURL is where an operation is polled. Deployments have their own place.
func (s *Server) operationURL(c *call, op *operation) string {
	base := s.url + "/subscriptions/" + s.config.Identity.Subscription
	if strings.EqualFold(c.target.kind, kindDeployment) {
		return s.url + c.target.id() + "/operationStatuses/" + op.id + "?api-version=" + c.version
	}
	return base + "/providers/" + operationProvider + "/locations/lab/operations/" + op.id + "?api-version=" + c.version
}

// operationProvider is the namespace of the simulator's own operations.
const operationProvider = "Microsoft.Lab"

// started answers that work has begun: with an operation to poll.
func (s *Server) started(c *call, op *operation, status int, body any) *reply {
	header := map[string]string{"Azure-AsyncOperation": s.operationURL(c, op), "Retry-After": s.retryAfter()}
	return &reply{status: status, header: header, body: body}
}

// deleting answers that a deletion has begun. In the fast mode it leads to a place that says so: clients
// poll what is deleted every 10 seconds otherwise, whatever the headers say.
func (s *Server) deleting(c *call, op *operation) *reply {
	place := s.url + "/subscriptions/" + s.config.Identity.Subscription + "/operationresults/" +
		op.id + "?api-version=" + c.version
	switch {
	case !s.config.Faithful:
		return &reply{status: http.StatusSeeOther, header: map[string]string{"Location": place}}
	case c.target.kind == "": // a resource group
		return &reply{
			status: http.StatusAccepted,
			header: map[string]string{"Location": place, "Retry-After": s.retryAfter()},
		}
	}
	return s.started(c, op, http.StatusAccepted, nil)
}

// pollStatus answers with the status of an operation. In the fast mode it waits a while for its end.
func (s *Server) pollStatus(c *call, id string) (*reply, error) {
	op, err := s.operation(id)
	if err != nil {
		return nil, err
	}
	if !s.config.Faithful {
		select {
		case <-op.done:
		case <-time.After(fastPoll):
		case <-c.ctx.Done():
		}
	}
	body := map[string]any{"id": c.path, "name": op.id, "status": op.running}
	select {
	case <-op.done:
		body["status"] = "Succeeded"
		if op.failed != nil {
			body["status"], body["error"] = "Failed", op.failed
		}
	default:
	}
	return &reply{status: http.StatusOK, header: map[string]string{"Retry-After": s.retryAfter()}, body: body}, nil
}

// pollResult answers 202 while an operation runs, and then with its result. In the fast mode the 202 leads
// to the operation's status.
func (s *Server) pollResult(c *call, id string) (*reply, error) {
	op, err := s.operation(id)
	if err != nil {
		return nil, err
	}
	if !s.config.Faithful {
		return s.started(c, op, http.StatusAccepted, nil), nil
	}
	select {
	case <-op.done:
		if op.failed != nil {
			return nil, op.failed
		}
		return &reply{status: http.StatusOK}, nil
	default:
		header := map[string]string{"Location": s.url + c.path + "?api-version=" + c.version, "Retry-After": s.retryAfter()}
		return &reply{status: http.StatusAccepted, header: header}, nil
	}
}

// operation finds an operation.
func (s *Server) operation(id string) (*operation, error) {
	s.mu.Lock()
	op, known := s.operations[strings.ToLower(id)]
	s.mu.Unlock()
	if !known {
		return nil, refuse(http.StatusNotFound, "OperationNotFound", "The operation '%s' could not be found.", id)
	}
	return op, nil
}
