// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:48:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-answers-are-not-trusted
// Diagram: openspec/specs/platforms/diagram.md#answers-that-are-not-trusted

package platform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

const (
	// Timeout bounds one login or lookup. A vCenter answers in well under a
	// second; one that is busy with an inventory service restart takes tens.
	Timeout = 60 * time.Second
	// Poll is how long to wait between two looks at a task or a lock.
	Poll = 500 * time.Millisecond
)

// MaxAnswer bounds one answer of a platform, in bytes: small ones become large values.
const MaxAnswer = 16 << 20

// Limits of what one client reads and asks in its life, which is one lookup or
// one reap. A page of a hundred machines or images has about 200 KB.
const (
	maxConversation = 128 << 20 // bytes
	maxCalls        = 1 << 14
)

// Limits of the patience with a platform, or a proxy before it, that asks to be
// called later.
const (
	maxTries    = 4 // of one call
	maxPatience = 10 * time.Second
)

// guarded is an error of the guard.
type guarded struct{ text string }

// Error returns what the platform did.
func (e *guarded) Error() string { return e.text }

// NonRetriable tells Microsoft's library that it is no use to try again.
func (*guarded) NonRetriable() {}

// errTooMuch ends a conversation without an end.
var errTooMuch = &guarded{"the platform sends more than 16 MiB in one answer or 128 MiB in all, or page after page: " +
	"this is no answer to what it was asked"}

// Guard stands between a client library and the network: it sends nothing to a
// host that was not named, so that neither a redirect nor a link to a next page
// carries credentials away, and it ends endless answers.
type Guard struct {
	Next  http.RoundTripper
	Hosts []string // each with its port when the address has one
	read  atomic.Int64
	calls atomic.Int64
}

// RoundTrip sends a request to a host that may have it.
func (g *Guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.allows(r.URL) {
		return nil, &guarded{fmt.Sprintf("the platform points to %s://%s, which was not named: nothing is sent there",
			r.URL.Scheme, text.Sanitize(r.URL.Host))}
	}
	if g.calls.Add(1) > maxCalls {
		return nil, errTooMuch
	}
	response, err := g.Next.RoundTrip(r)
	if err != nil {
		return nil, err //nolint:wrapcheck // http.RoundTripper, passed through
	}
	response.Body = &metered{ReadCloser: response.Body, guard: g}
	if err := webapi.Check(response, MaxAnswer); err != nil {
		return nil, err
	}
	return response, nil
}

// allows reports whether an address is one of the platform's, or below one.
func (g *Guard) allows(address *url.URL) bool {
	if address.Scheme != "https" {
		return false
	}
	for _, host := range g.Hosts {
		if strings.EqualFold(address.Host, host) ||
			strings.HasSuffix(strings.ToLower(address.Host), "."+strings.ToLower(host)) {
			return true
		}
	}
	return false
}

// CloseIdleConnections is what http.Client looks for.
func (g *Guard) CloseIdleConnections() {
	if next, ok := g.Next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// metered is the body of an answer.
type metered struct {
	io.ReadCloser
	guard *Guard
	read  int64
}

// Read reads until the conversation is too long.
func (m *metered) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	m.read += int64(n)
	if m.guard.read.Add(int64(n)) > maxConversation || m.read > MaxAnswer {
		return n, errTooMuch
	}
	return n, err //nolint:wrapcheck // io.Reader, passed through
}

// Patient makes a call again that the platform did not take for want of time:
// status 429, or 503 with the time to wait. A wait that is too long is none: the
// user is told instead. Only such calls: of any other, nobody knows whether it
// took effect.
type Patient struct{ Next http.RoundTripper }

// RoundTrip makes a call until it is taken. No call of ours is larger than some
// kilobytes, so that its body is kept for the next try.
func (p *Patient) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		if err := errors.Join(err, r.Body.Close()); err != nil {
			return nil, fmt.Errorf("reading the call: %w", err)
		}
	}
	for try := 1; ; try++ {
		call := r.Clone(r.Context())
		if r.Body != nil {
			call.Body, call.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		response, err := p.Next.RoundTrip(call)
		if err != nil {
			return nil, err //nolint:wrapcheck // http.RoundTripper, passed through
		}
		wait := patience(response)
		if wait == 0 || try == maxTries {
			return response, nil
		}
		if err := response.Body.Close(); err != nil {
			return nil, fmt.Errorf("waiting as the platform asks: %w", err)
		}
		if err := Pause(r.Context(), wait); err != nil {
			return nil, err
		}
	}
}

// CloseIdleConnections is what http.Client looks for.
func (p *Patient) CloseIdleConnections() {
	if next, ok := p.Next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// patience is how long to wait before a call is made again; 0 when it is no use.
func patience(response *http.Response) time.Duration {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	wait := time.Duration(seconds) * time.Second
	switch {
	case err != nil && response.StatusCode == http.StatusTooManyRequests:
		return time.Second
	case err != nil, seconds < 0, seconds > int(maxPatience/time.Second):
		return 0
	}
	return max(wait, Poll)
}

// Pause waits until it is time to look again, or for the end of ctx.
func Pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no more time: %w", ctx.Err())
	}
}
