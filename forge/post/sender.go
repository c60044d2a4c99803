// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:57:00Z
// Spec: openspec/specs/posting/spec.md#requirement-limits-and-time
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// MaxPages bounds a list in which a forge looks for what is there, of 100 entries a page.
const MaxPages = 30

// Pages collects what is there of a list that comes in pages. Page gets the one of a number, 0 for the first, and
// says which is the next; 0 for none.
func Pages(page func(number int) (found []Comment, next int, err error)) ([]Comment, error) {
	var all []Comment
	number := 0
	for range MaxPages {
		found, next, err := page(number)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
		if number = next; next == 0 {
			return all, nil
		}
	}
	return nil, ErrEndless
}

// Bounds of sending. GitHub asks to wait a minute at least when a secondary
// limit does not say how long, and for a second between requests that write
// (docs.github.com, best practices for using the REST API).
const (
	limitPause     = time.Minute
	writePause     = time.Second
	firstPause     = 2 * time.Second // after a failure that is no limit; doubles
	maxTries       = 5               // of one item in one flush
	maxUnfit       = 3               // of one that is answered with what is no answer
	requestTimeout = 10 * time.Second
	stepPause      = 15 * time.Second // between two steps of one check-run
	// maxSteps bounds the steps of all check-runs that are sent in an hour: GitHub
	// takes about 500 requests an hour that write, and results come first.
	maxSteps = 200
)

// Clock is the time of a sender; a test has its own.
type Clock struct {
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
}

// systemClock waits really.
func systemClock() Clock {
	return Clock{Now: time.Now, Sleep: func(ctx context.Context, d time.Duration) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
}

// verdict says what an error of a request means for its item.
type verdict int

const (
	again   verdict = iota // after a pause that grows; what was created must be looked for
	unfit                  // as again, but sooner given up
	limited                // after the pause that the forge asks for; nothing was done
	denied                 // the token must not write this kind of thing
	refused                // this item, for good
)

// classify reads an error. For a limit it says how long the system asks to wait.
func (s *sender) classify(err error, key string) (verdict, time.Duration) {
	a := s.forge.Answer(err)
	switch {
	case a.Status == http.StatusTooManyRequests, a.Status == http.StatusForbidden && IsLimit(a, err):
		return limited, webapi.Pause(a.Header, s.clock.Now())
	case a.Denied, a.Status == http.StatusUnauthorized, a.Status == http.StatusNotFound && key != commentKey:
		return denied, 0 // GitHub hides what the token must not see
	case a.Status == http.StatusForbidden && strings.Contains(err.Error(), "not accessible"):
		return denied, 0
	case a.Status == http.StatusForbidden, a.Status == http.StatusGone,
		a.Status == http.StatusUnprocessableEntity, a.Status == http.StatusBadRequest:
		return refused, 0
	}
	if isUnfit(err) {
		return unfit, 0
	}
	return again, 0
}

// Why a successful answer is of no use.
var (
	ErrNoID    = errors.New("the answer has no identifier")
	ErrEndless = fmt.Errorf("the list has more than %d pages, so that it is not known what is there", MaxPages)
)

// isUnfit says whether an answer is null, or goes on for ever: what is asked again
// will most likely have the same answer.
func isUnfit(err error) bool {
	_, refused := errors.AsType[*webapi.AnswerError](err)
	return refused || errors.Is(err, ErrEndless)
}

// IsLimit says whether a refusal is about a limit, by its answer and its text.
func IsLimit(a Answer, err error) bool {
	return webapi.Limited(a.Header) || strings.Contains(strings.ToLower(err.Error()), "rate limit")
}

// sender sends what an outbox holds.
type sender struct {
	box    *outbox
	system System
	forge  Forge
	clock  Clock
	// timeout bounds one request.
	timeout time.Duration
	redact  func(string) string
	log     func(line string) // of the first fault
	fault   sync.Once
	wrote   time.Time // when the last request that writes was made
	quiet   time.Time // the forge asks to be left alone until then
	steps   []time.Time

	problems map[string]string // key → why it has not arrived
	denied   map[string]string // kind of item → why none is tried
	notes    []string          // what arrived in part only
}

// flush sends all that is pending, within budget. It returns what it could not
// do as a TimeError or an error of the context; single items that the forge
// refuses are no error and stay in problems.
func (s *sender) flush(ctx context.Context, budget time.Duration) error {
	end := s.clock.Now().Add(budget)
	tries, skip := map[string]int{}, map[string]bool{}
	for ctx.Err() == nil {
		it, ok := s.box.next(skip, s.stepsSince())
		if !ok {
			return nil
		}
		if why := s.denied[kind(it.key)]; why != "" {
			s.problems[it.key], skip[it.key] = why, true
			continue
		}
		now := s.clock.Now()
		err := s.pace(ctx, max(0, s.wrote.Add(writePause).Sub(now), s.quiet.Sub(now)), end)
		if err == nil {
			err = s.send(ctx, it, end)
		}
		if err == nil {
			delete(s.problems, it.key)
			continue
		}
		if late, ok := errors.AsType[*lateError](err); ok {
			if s.problems[it.key] == "" {
				s.problems[it.key] = late.Error()
			}
			return late
		}
		s.problems[it.key] = ShortError(err)
		what, wait := s.classify(err, it.key)
		switch what {
		case denied:
			s.denied[kind(it.key)] = ShortError(err)
			continue
		case refused:
			_ = s.box.append(line{Kind: "drop", Key: it.key, Version: it.version, Why: ShortError(err)}) // told at the end
			// a step is not tried again either
			skip[it.key] = true
			continue
		case limited:
			s.quiet = s.clock.Now().Add(wait)
			wait = 0 // the next request waits, also one of another flush
		case again, unfit:
			tries[it.key]++
			wait = firstPause << (tries[it.key] - 1)
			if tries[it.key] >= maxTries || what == unfit && tries[it.key] >= maxUnfit {
				skip[it.key] = true
				continue
			}
		}
		if err := s.pace(ctx, wait, end); err != nil {
			s.problems[it.key] += "; " + err.Error()
			return err
		}
	}
	return fmt.Errorf("sending reports: %w", ctx.Err())
}

// contain does something that only reports: a panic in it is an error, and the run
// goes on. The stack of the first one is in the log; the others are mostly the same.
func (s *sender) contain(do func() error) error {
	err := hybridcore.Contain(do)
	if panicked, ok := errors.AsType[*hybridcore.PanicError](err); ok {
		panicked.Value = s.redact(panicked.Value)
		s.fault.Do(func() {
			for line := range strings.Lines(err.Error() + "\n" + s.redact(panicked.Stack)) {
				s.log(strings.TrimRight(line, "\n"))
			}
		})
	}
	return err
}

// stepsSince is the time since which no step was sent of a check-run whose next
// one may go; the beginning of time when there were too many lately.
func (s *sender) stepsSince() time.Time {
	now := s.clock.Now()
	s.steps = slices.DeleteFunc(s.steps, func(t time.Time) bool { return now.Sub(t) > time.Hour })
	if len(s.steps) >= maxSteps {
		return time.Time{}
	}
	return now.Add(-stepPause)
}

// lateError says that a wait would end after the time that is left.
type lateError struct {
	system     string
	wait, left time.Duration
}

// Error implements error.
func (e *lateError) Error() string {
	return fmt.Sprintf("%s has to be left alone for %s and %s are left for it", e.system, e.wait.Round(time.Second),
		max(0, e.left).Round(time.Second))
}

// pace waits, unless that takes too long.
func (s *sender) pace(ctx context.Context, wait time.Duration, end time.Time) error {
	left := end.Sub(s.clock.Now())
	switch {
	case left <= 0, wait > left:
		return &lateError{system: s.system.Title, wait: wait, left: left}
	case wait == 0:
		return nil
	}
	if err := s.clock.Sleep(ctx, wait); err != nil {
		return fmt.Errorf("waiting to report: %w", err)
	}
	return nil
}

// send brings one item to the system, in a context that ends with the time left.
func (s *sender) send(ctx context.Context, it item, end time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, max(time.Millisecond, end.Sub(s.clock.Now())))
	defer cancel()
	if err := s.bring(ctx, &it); err != nil && !errors.Is(err, errSuperseded) {
		return err
	} else if err == nil {
		s.arrived(it)
	}
	return nil
}

// bring makes the requests that an item needs.
func (s *sender) bring(ctx context.Context, it *item) error {
	switch {
	case it.check == nil:
		return s.comment(ctx, it)
	case it.step != nil:
		return s.forge.Check(ctx, s.known(it), it.step)
	default:
		return s.forge.Check(ctx, s.known(it), it.check)
	}
}

// known is what is known of a check at its forge.
func (s *sender) known(it *item) *Item {
	return &Item{Key: it.key, ID: it.id, Annotations: it.annotations, State: it.state, Tried: it.tried, sender: s}
}

// arrived notes that a state is there.
func (s *sender) arrived(it item) {
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	now := s.box.items[it.key]
	if now.step == it.step {
		now.step = nil
	}
	now.stepSent = s.clock.Now()
	if it.done == it.version {
		s.steps = append(s.steps, now.stepSent)
	}
	if it.done < it.version {
		_ = s.box.write(line{Kind: "sent", Key: it.key, Version: it.version}) // told at the end
	}
}

// kind is what a permission is about.
func kind(key string) string {
	if key == commentKey || key == issueKey {
		return key
	}
	return "checks"
}

// ShortError is an error for a line of a report.
func ShortError(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:299]) + "…"
	}
	return text
}
