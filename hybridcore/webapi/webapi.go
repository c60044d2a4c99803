// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T07:39:08Z
// Spec: openspec/specs/posting/spec.md#requirement-limits-and-time
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

// Package webapi is what clients of the APIs of CI systems, Slack and platforms have
// in common: a bounded HTTP client, a look at answers before a library decodes
// them, and what an answer says of limits.
package webapi

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Pauses that answers ask for.
const (
	minPause   = time.Second
	limitPause = time.Minute    // after a limit that does not say how long it lasts; GitHub asks for a minute
	maxReset   = 24 * time.Hour // of a primary limit, which GitHub's documentation ends after an hour
)

// Address reads the base address of an API and ends it with a slash; false when
// it is none.
func Address(text string) (*url.URL, bool) {
	base, err := url.Parse(strings.TrimSuffix(text, "/") + "/")
	return base, err == nil && (base.Scheme == "https" || base.Scheme == "http") && base.Host != ""
}

// Client makes a client that follows no redirect: what it sends is for one host.
func Client(through http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     through,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Transport bounds what is read of answers, and refuses those that Check refuses
// and those to a GET that hold nothing but white space: go-github takes that for null.
type Transport struct {
	Most  int64             // bytes of an answer
	Sign  func(http.Header) // adds the credentials to a request; nil: it has them
	Files bool              // answers are files, which are not looked into
}

// Bearer signs as GitHub wants it.
func Bearer(token string) func(http.Header) {
	return func(h http.Header) { h.Set("Authorization", "Bearer "+token) }
}

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.Sign != nil {
		r = r.Clone(r.Context())
		t.Sign(r.Header)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err //nolint:wrapcheck // net/http adds method and address
	}
	if !t.Files {
		blank, err := check(answer, t.Most)
		if err != nil {
			return nil, err
		}
		if blank && r.Method == http.MethodGet {
			return nil, refused(answer, "is empty")
		}
	}
	answer.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(answer.Body, t.Most), answer.Body}
	return answer, nil
}

// rate is a header of a primary limit: X-RateLimit-… of GitHub, RateLimit-… of GitLab.
func rate(h http.Header, name string) string {
	if value := h.Get("X-RateLimit-" + name); value != "" {
		return value
	}
	return h.Get("RateLimit-" + name)
}

// Limited says whether an answer that refuses is about a limit.
func Limited(h http.Header) bool { return h.Get("Retry-After") != "" || rate(h, "Remaining") == "0" }

// Pause is how long an answer asks to wait, at least a second; a minute when it
// does not say.
func Pause(h http.Header, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(h.Get("Retry-After"), 10, 32); err == nil && seconds >= 0 {
		return max(time.Duration(seconds)*time.Second, minPause)
	}
	if reset, err := strconv.ParseInt(rate(h, "Reset"), 10, 64); err == nil && rate(h, "Remaining") == "0" {
		return min(max(time.Unix(reset, 0).Sub(now), minPause), maxReset)
	}
	return limitPause
}
