// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:11:10Z
// Spec: openspec/specs/lab-faults/spec.md#requirement-text-form
// Diagram: openspec/specs/lab-faults/diagram.md#path-of-a-call

package fault

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds of a rule, so that a slip in a rule cannot stop a lab for good.
const (
	maxDelay  = time.Hour
	maxRules  = 1000
	maxReason = 1000 // bytes
	maxPath   = 1000 // bytes
)

// headerForm is one header in printable ASCII, up to 200 characters long.
var headerForm = regexp.MustCompile(`^[A-Za-z0-9-]{1,50}: [ -~]{1,150}$`)

// Parse reads rules, one a line, as in
//
//	POST /nodes/*/qemu nth=2 status=500 reason="no space left" delay=2s
//
// The first two words are the method and the path pattern. The others, in any order: nth=N, nth=N-M or
// nth=N-, status=CODE, reason=TEXT, header="NAME: VALUE",
// delay=DURATION, and the flags drop, cut, after and task. Empty lines and what
// follows # at the start of a line are left out. An error names the line and, where one word is wrong, its
// column, counted in characters from 1.
func Parse(text string) ([]Rule, error) {
	var rules []Rule
	for number, line := range strings.Split(text, "\n") {
		if Blank(line) {
			continue
		}
		if len(rules) == maxRules {
			return nil, fmt.Errorf("line %d: more than %d fault rules", number+1, maxRules)
		}
		rule, err := ParseRule(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number+1, err)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// Blank reports whether a line holds no rule: nothing, or a comment.
func Blank(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || strings.HasPrefix(line, "#")
}

// ParseRule reads one rule, as Parse does. Its error quotes the rule.
func ParseRule(line string) (Rule, error) {
	rule, err := parseRule(line)
	if err != nil {
		return Rule{}, fmt.Errorf("fault rule %.200q: %w", strings.TrimSpace(line), err)
	}
	return rule, nil
}

// word is a part of a rule and where it begins.
type word struct {
	text   string
	column int // in characters, from 1
}

// parseRule reads one rule.
func parseRule(line string) (Rule, error) {
	words, err := splitWords(line)
	if err != nil {
		return Rule{}, err
	}
	if len(words) < 2 {
		return Rule{}, errors.New("want METHOD PATH and what to do, as in: POST /nodes/*/qemu status=500")
	}
	rule := Rule{Method: strings.ToUpper(words[0].text), Path: words[1].text}
	seen := make(map[string]bool)
	for _, w := range words[2:] {
		name, value, _ := strings.Cut(w.text, "=")
		if seen[name] {
			return Rule{}, fmt.Errorf("column %d: %s is given twice", w.column, name)
		}
		seen[name] = true
		if err := rule.set(w.text, name, value); err != nil {
			return Rule{}, fmt.Errorf("column %d: %w", w.column, err)
		}
	}
	return rule, rule.check()
}

// set takes one word of a rule.
func (r *Rule) set(word, name, value string) error {
	var err error
	switch {
	case word == "drop":
		r.Drop = true
	case word == "cut":
		r.Cut = true
	case word == "after":
		r.After = true
	case word == "task":
		r.Task = true
	case name == "nth":
		r.Nth, err = parseRange(value)
	case name == "status":
		if r.Status, err = strconv.Atoi(value); err != nil || r.Status < 200 || r.Status > 599 {
			err = fmt.Errorf("status %q is not a number from 200 to 599", value)
		}
	case name == "reason":
		r.Reason = value
	case name == "header":
		r.Header = value
	case name == "delay":
		if r.Delay, err = time.ParseDuration(value); err != nil || r.Delay <= 0 || r.Delay > maxDelay {
			err = fmt.Errorf("delay %q is not a duration up to %s, such as 2s", value, maxDelay)
		}
	default:
		err = fmt.Errorf("unknown word %q; known: nth=, status=, reason=, header=, delay=, drop, cut, after, task", word)
	}
	return err
}

// parseRange reads N, N-M or N-.
func parseRange(text string) (Range, error) {
	first, last, open := strings.Cut(text, "-")
	from, err := strconv.Atoi(first)
	to := from
	if err == nil && open {
		if to = 0; last != "" {
			to, err = strconv.Atoi(last)
		}
	}
	if err != nil || from < 1 || (to < from && (!open || last != "")) {
		return Range{}, fmt.Errorf("nth %q is not N, N-M or N-, counted from 1", text)
	}
	return Range{From: from, To: to}, nil
}

// check refuses rules that are malformed, do nothing or contradict themselves.
func (r Rule) check() error {
	if err := r.checkForm(); err != nil {
		return err
	}
	if !r.acts() {
		return errors.New("it does nothing; give status=, delay=, drop, cut, or task with reason=")
	}
	switch {
	case r.Cut && (r.Status != 0 || r.Drop || r.After):
		return errors.New("cut goes with delay= only")
	case r.Header != "" && r.Status == 0:
		return errors.New("header= needs status=")
	case r.After && r.Status == 0 && !r.Drop:
		return errors.New("after needs status= or drop")
	case r.Task && (r.After || r.Drop || r.Cut || r.Status != 0):
		return errors.New("task goes with reason= and delay= only")
	case r.Drop && r.Status != 0:
		return errors.New("drop and status= exclude each other")
	}
	return nil
}

// acts says whether a rule does anything.
func (r Rule) acts() bool {
	return r.Status != 0 || r.Delay != 0 || r.Drop || r.Cut || r.Task && r.Reason != ""
}

// checkForm refuses malformed parts.
func (r Rule) checkForm() error {
	isLetter := func(c rune) bool { return c >= 'A' && c <= 'Z' }
	switch {
	case r.Method != "*" && strings.TrimFunc(r.Method, isLetter) != "", r.Method == "":
		return fmt.Errorf("method %q is not a word or *", r.Method)
	case !strings.HasPrefix(r.Path, "/") || len(r.Path) > maxPath:
		return fmt.Errorf("path %q does not begin with / or is longer than %d bytes", r.Path, maxPath)
	case len(r.Reason) > maxReason || strings.ContainsFunc(r.Reason, unicode.IsControl):
		return fmt.Errorf("the reason has control characters or more than %d bytes", maxReason)
	}
	if r.Header != "" && !headerForm.MatchString(r.Header) {
		return fmt.Errorf("header %q is not NAME: VALUE", r.Header)
	}
	for _, segment := range segments(r.Path) {
		if _, err := path.Match(segment, ""); err != nil {
			return fmt.Errorf("path %q: malformed pattern", r.Path)
		}
	}
	return nil
}

// splitWords splits at blanks. A part in double quotes, as Go writes them, may hold blanks.
func splitWords(line string) ([]word, error) {
	var words []word
	column := func(rest string) int { return utf8.RuneCountInString(line[:len(line)-len(rest)]) + 1 }
	line = strings.TrimRight(line, " \t\r")
	for rest := strings.TrimLeft(line, " \t"); rest != ""; rest = strings.TrimLeft(rest, " \t") {
		var text strings.Builder
		start := column(rest)
		for rest != "" && rest[0] != ' ' && rest[0] != '\t' {
			if rest[0] != '"' {
				text.WriteByte(rest[0])
				rest = rest[1:]
				continue
			}
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, fmt.Errorf("column %d: the quote does not end", column(rest))
			}
			part, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, fmt.Errorf("column %d: reading %s: %w", column(rest), quoted, err)
			}
			text.WriteString(part)
			rest = rest[len(quoted):]
		}
		words = append(words, word{text: text.String(), column: start})
	}
	return words, nil
}
