// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:11:10Z
// Spec: openspec/specs/lab-faults/spec.md#requirement-injection
// Diagram: openspec/specs/lab-faults/diagram.md#path-of-a-call

package fault

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Injector holds the rules of one simulated platform. The zero value has none and is ready for use; it may
// be used by several goroutines.
type Injector struct {
	mu    sync.Mutex
	rules []*counted
}

// counted is a rule and what became of it.
type counted struct {
	rule  Rule
	calls int // matching
	hits  int // of these, hit
}

// Answer writes a platform's own form of an error: rule.Status with rule.Reason.
type Answer func(w http.ResponseWriter, r *http.Request, rule Rule)

// Add adds rules behind those already there. The first rule whose turn it is hits a call; the others only
// count it.
func (i *Injector) Add(rules ...Rule) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, rule := range rules {
		i.rules = append(i.rules, &counted{rule: rule})
	}
}

// Load adds the rules of a text, as Parse reads it.
func (i *Injector) Load(text string) error {
	rules, err := Parse(text)
	if err != nil {
		return err
	}
	i.Add(rules...)
	return nil
}

// Clear removes all rules.
func (i *Injector) Clear() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rules = nil
}

// Hits counts, for each rule in the order of Add, the calls that it hit. A test that expects a failure looks
// here whether it came from its rule.
func (i *Injector) Hits() []int {
	i.mu.Lock()
	defer i.mu.Unlock()
	hits := make([]int, len(i.rules))
	for n, one := range i.rules {
		hits[n] = one.hits
	}
	return hits
}

// Unused lists the rules that have hit nothing: a test that expects failures has none.
func (i *Injector) Unused() []Rule {
	i.mu.Lock()
	defer i.mu.Unlock()
	var unused []Rule
	for _, one := range i.rules {
		if one.hits == 0 {
			unused = append(unused, one.rule)
		}
	}
	return unused
}

// next counts a call and returns the rule that hits it.
func (i *Injector) next(method, urlPath string) (Rule, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var hit *counted
	for _, one := range i.rules {
		if !one.rule.Match(method, urlPath) {
			continue
		}
		one.calls++
		if hit == nil && one.rule.Nth.holds(one.calls) {
			hit = one
		}
	}
	if hit == nil {
		return Rule{}, false
	}
	hit.hits++
	return hit.rule, true
}

// Handler puts the rules in front of next. The prefix is cut from a request's path before it is compared,
// so that rules read like the platform's documentation. A nil answer writes the reason as plain text.
func (i *Injector) Handler(prefix string, next http.Handler, answer Answer) http.Handler {
	if answer == nil {
		answer = plainAnswer
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rule, hit := i.next(r.Method, strings.TrimPrefix(r.URL.Path, prefix))
		if !hit {
			next.ServeHTTP(w, r)
			return
		}
		if rule.Task {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), taskKey{}, rule)))
			return
		}
		if !wait(r.Context(), rule.Delay) {
			return // the caller has gone: nobody to answer, and the call has not been made
		}
		switch {
		case rule.Cut:
			cut(w, r, next)
			return
		case rule.Status == 0 && !rule.Drop:
			next.ServeHTTP(w, r)
			return
		case rule.After:
			next.ServeHTTP(&lost{header: make(http.Header)}, r)
		}
		if rule.Drop {
			panic(http.ErrAbortHandler) // net/http closes the connection and stays quiet
		}
		if name, value, ok := strings.Cut(rule.Header, ":"); ok {
			w.Header().Set(strings.TrimSpace(name), strings.TrimSpace(value))
		}
		answer(w, r, rule)
	})
}

// cut makes a call and sends half of its answer as if it were all.
func cut(w http.ResponseWriter, r *http.Request, next http.Handler) {
	kept := &lost{header: w.Header(), status: http.StatusOK}
	next.ServeHTTP(kept, r)
	w.Header().Del("Content-Length")
	w.WriteHeader(kept.status)
	_, _ = w.Write(kept.body[:len(kept.body)/2]) // the caller has gone
}

// taskKey is the key of the rule in the context of a call whose task it hits.
type taskKey struct{}

// Task returns the rule for the long-running work that a call starts: it is to take rule.Delay longer and,
// when rule.Reason is not empty, to fail with it.
func Task(ctx context.Context) (Rule, bool) {
	rule, ok := ctx.Value(taskKey{}).(Rule)
	return rule, ok
}

// wait waits for d and reports whether the caller is still there.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// lost takes an answer that nobody is to see, or not whole.
type lost struct {
	header http.Header
	status int
	body   []byte
}

// Header returns the headers.
func (l *lost) Header() http.Header { return l.header }

// WriteHeader keeps the status.
func (l *lost) WriteHeader(status int) { l.status = status }

// Write takes everything.
func (l *lost) Write(p []byte) (int, error) {
	l.body = append(l.body, p...)
	return len(p), nil
}

// plainAnswer answers with a rule's reason.
func plainAnswer(w http.ResponseWriter, _ *http.Request, rule Rule) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	WriteStatus(w, rule.Status, rule.Reason, []byte(rule.Reason+"\n"))
}

// WriteStatus answers with a reason phrase of its own, which some clients read errors from and net/http does
// not let a server choose. Headers already set in w are sent. Where the connection cannot be taken over
// (HTTP/2, a recorder), the answer has the usual phrase. The connection ends with the answer.
func WriteStatus(w http.ResponseWriter, status int, reason string, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if reason == "" {
		reason = http.StatusText(status)
	}
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		w.WriteHeader(status)
		_, _ = w.Write(body) // the caller has gone
		return
	}
	connection, buffered, err := hijacker.Hijack()
	if err != nil {
		w.WriteHeader(status)
		_, _ = w.Write(body) // the caller has gone
		return
	}
	defer func() { _ = connection.Close() }()
	if writeResponse(buffered.Writer, w.Header(), fmt.Sprintf("%03d %s", status, oneLine(reason)), body) == nil {
		linger(connection)
	}
}

// lingerTime is how long a connection is read from after its answer.
const lingerTime = time.Second

// linger lets a caller that still sends read the answer: data that nobody takes resets the connection.
func linger(connection net.Conn) {
	half, ok := connection.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil || connection.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	_, _ = io.Copy(io.Discard, connection) // ends when the caller closes
}

// writeResponse writes an HTTP/1.1 response.
func writeResponse(to *bufio.Writer, header http.Header, status string, body []byte) error {
	header.Set("Connection", "close")
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	fmt.Fprintf(to, "HTTP/1.1 %s\r\n", status)
	if err := header.Write(to); err != nil {
		return fmt.Errorf("writing headers: %w", err)
	}
	fmt.Fprint(to, "\r\n")
	_, _ = to.Write(body) // Flush returns the first error
	if err := to.Flush(); err != nil {
		return fmt.Errorf("writing a response: %w", err)
	}
	return nil
}

// oneLine makes a text fit for a status line.
func oneLine(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.TrimSpace(text))
}
