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
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
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

// operations is the long-running work.
type operations struct {
	url, subscription string
	faithful          bool            // deletions take their time and are polled as Azure has it
	ctx               context.Context //nolint:containedctx // ends with the simulator
	work              sync.WaitGroup

	mu   sync.Mutex
	byID map[string]*operation
}

// operation is long-running work.
type operation struct {
	id      string
	running string // status while it runs: Running for deployments, InProgress otherwise
	done    chan struct{}
	failed  *arm.Error // after done
}

// work is what an operation does. With fail it is to end in that error, as a fault rule wants it, and to
// leave behind what such a failure leaves.
type work func(ctx context.Context, fail error) error

// begin starts work in the background. A fault rule for the task of the call makes it slow or fail.
func (o *operations) begin(c *call, running string, do work) *operation {
	op := &operation{id: strings.ToLower(rand.Text()), running: running, done: make(chan struct{})}
	rule, faulty := fault.Task(c.ctx)
	var fail error
	if faulty && rule.Reason != "" {
		fail = arm.Refuse(http.StatusConflict, "InjectedFault", "%s", rule.Reason)
	}
	o.mu.Lock()
	o.byID[op.id] = op
	o.mu.Unlock()
	o.work.Go(func() {
		defer close(op.done)
		if !pause(o.ctx, rule.Delay) {
			return
		}
		if err := do(o.ctx, fail); err != nil {
			op.failed = arm.AsError(err)
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
func (o *operations) retryAfter() string {
	if o.faithful {
		return "1"
	}
	return "0"
}

// operationURL is where an operation is polled. Deployments have their own place.
func (o *operations) operationURL(c *call, op *operation) string {
	base := o.url + "/subscriptions/" + o.subscription
	if strings.EqualFold(c.target.Type, arm.Deployments) {
		return o.url + c.target.String() + "/operationStatuses/" + op.id + "?api-version=" + c.version
	}
	return base + "/providers/" + operationProvider + "/locations/lab/operations/" + op.id + "?api-version=" + c.version
}

// operationProvider is the namespace of the simulator's own operations.
const operationProvider = "Microsoft.Lab"

// started answers that work has begun: with an operation to poll.
func (o *operations) started(c *call, op *operation, status int, body any) *reply {
	header := map[string]string{"Azure-AsyncOperation": o.operationURL(c, op), "Retry-After": o.retryAfter()}
	return &reply{status: status, header: header, body: body}
}

// deleting answers that a deletion has begun. In the fast mode it leads to a place that says so: clients
// poll what is deleted every 10 seconds otherwise, whatever the headers say.
func (o *operations) deleting(c *call, op *operation) *reply {
	place := o.url + "/subscriptions/" + o.subscription + "/operationresults/" +
		op.id + "?api-version=" + c.version
	switch {
	case !o.faithful:
		return &reply{status: http.StatusSeeOther, header: map[string]string{"Location": place}}
	case c.target.Type == "": // a resource group
		return &reply{
			status: http.StatusAccepted,
			header: map[string]string{"Location": place, "Retry-After": o.retryAfter()},
		}
	}
	return o.started(c, op, http.StatusAccepted, nil)
}

// pollStatus answers with the status of an operation. In the fast mode it waits a while for its end.
func (o *operations) pollStatus(c *call, id string) (*reply, error) {
	op, err := o.operation(id)
	if err != nil {
		return nil, err
	}
	if !o.faithful {
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
	return &reply{status: http.StatusOK, header: map[string]string{"Retry-After": o.retryAfter()}, body: body}, nil
}

// pollResult answers 202 while an operation runs, and then with its result. In the fast mode the 202 leads
// to the operation's status.
func (o *operations) pollResult(c *call, id string) (*reply, error) {
	op, err := o.operation(id)
	if err != nil {
		return nil, err
	}
	if !o.faithful {
		return o.started(c, op, http.StatusAccepted, nil), nil
	}
	select {
	case <-op.done:
		if op.failed != nil {
			return nil, op.failed
		}
		return &reply{status: http.StatusOK}, nil
	default:
		header := map[string]string{"Location": o.url + c.path + "?api-version=" + c.version, "Retry-After": o.retryAfter()}
		return &reply{status: http.StatusAccepted, header: header}, nil
	}
}

// operation finds an operation.
func (o *operations) operation(id string) (*operation, error) {
	o.mu.Lock()
	op, known := o.byID[strings.ToLower(id)]
	o.mu.Unlock()
	if !known {
		return nil, arm.Refuse(http.StatusNotFound, "OperationNotFound", "The operation '%s' could not be found.", id)
	}
	return op, nil
}

// alreadyGone answers about the deletion of what does not exist. After a 204 too, clients wait 10 seconds,
// so that the fast mode gives them an operation.
func (o *operations) alreadyGone(c *call) *reply {
	if o.faithful {
		return &reply{status: http.StatusNoContent}
	}
	return o.deleting(c, o.begin(c, "InProgress", func(context.Context, error) error { return nil }))
}
