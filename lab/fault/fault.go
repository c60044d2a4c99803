// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:11:10Z
// Spec: openspec/specs/lab-faults/spec.md#requirement-rules
// Diagram: openspec/specs/lab-faults/diagram.md#path-of-a-call

// Package fault makes a simulated platform fail on purpose: rules say which
// calls of its HTTP interface are delayed, refused, dropped or answered wrongly.
package fault

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
)

// Rule is one fault. Its text form is what Parse reads and String writes.
type Rule struct {
	Method string        // of the request; "*" any
	Path   string        // pattern, see Match
	Nth    Range         // which of the matching calls; the zero value: all
	Status int           // answer with this HTTP status instead; 0: do not
	Reason string        // of the answer: reason phrase, message of the error, or a task's exit status
	Header string        // of the answer, as in "Retry-After: 60"; empty: none
	Delay  time.Duration // wait this long first
	Drop   bool          // close the connection without an answer
	Cut    bool          // let the call take effect, then send half of its answer's body
	After  bool          // let the call take effect, then answer with Status or Drop: the caller cannot know
	Task   bool          // hit the long-running work that the call starts, not the call: see Task
}

// Range selects calls by their number, counted from 1 over the matching calls of one rule.
type Range struct {
	From int // first call; 0: the first of all
	To   int // last call; 0: no end
}

// holds reports whether call number n is selected.
func (r Range) holds(n int) bool { return n >= r.From && (r.To == 0 || n <= r.To) }

// String writes a range as Parse reads it: 2, 2-4, 2-.
func (r Range) String() string {
	switch {
	case r.To == 0:
		return strconv.Itoa(max(r.From, 1)) + "-"
	case r.From == r.To:
		return strconv.Itoa(r.From)
	}
	return fmt.Sprintf("%d-%d", max(r.From, 1), r.To)
}

// Match reports whether a request is one that the rule is about. Patterns are compared segment by segment
// and without regard to case: * stands for any characters of one segment, ** as a segment of its own for
// any number of segments. The path is the decoded one, without the platform's prefix and without a query.
func (r Rule) Match(method, urlPath string) bool {
	if r.Method != "*" && !strings.EqualFold(r.Method, method) {
		return false
	}
	return matchSegments(segments(r.Path), segments(urlPath))
}

// segments splits a path in lower case.
func segments(urlPath string) []string {
	return strings.Split(strings.Trim(strings.ToLower(urlPath), "/"), "/")
}

// matchSegments compares a pattern with a path. Only the last ** is ever tried again, so the time is at most
// the product of both lengths.
func matchSegments(pattern, given []string) bool {
	p, g, star, mark := 0, 0, -1, 0
	for g < len(given) {
		switch {
		case p < len(pattern) && pattern[p] == "**":
			star, mark = p, g
			p++
		case p < len(pattern) && matchSegment(pattern[p], given[g]):
			p, g = p+1, g+1
		case star >= 0:
			mark++
			p, g = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}

// matchSegment compares one segment. Parse refuses patterns that path.Match calls malformed.
func matchSegment(pattern, given string) bool {
	ok, err := path.Match(pattern, given)
	return err == nil && ok
}

// String writes the rule as Parse reads it.
func (r Rule) String() string {
	words := []string{r.Method, quoteIfNeeded(r.Path)}
	if r.Nth != (Range{}) {
		words = append(words, "nth="+r.Nth.String())
	}
	if r.Status != 0 {
		words = append(words, "status="+strconv.Itoa(r.Status))
	}
	if r.Reason != "" {
		words = append(words, "reason="+strconv.Quote(r.Reason))
	}
	if r.Header != "" {
		words = append(words, "header="+strconv.Quote(r.Header))
	}
	if r.Delay != 0 {
		words = append(words, "delay="+r.Delay.String())
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{{"drop", r.Drop}, {"cut", r.Cut}, {"after", r.After}, {"task", r.Task}} {
		if flag.set {
			words = append(words, flag.name)
		}
	}
	return strings.Join(words, " ")
}

// quoteIfNeeded quotes a path that would not be one word.
func quoteIfNeeded(text string) string {
	if strings.ContainsAny(text, " \t\"#;") {
		return strconv.Quote(text)
	}
	return text
}
