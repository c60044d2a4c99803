// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:00:00Z
// Spec: openspec/specs/posting/spec.md#requirement-reports-never-decide
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Poster reports one run while it goes on. Its methods may be called by
// several goroutines; none but Close waits for the system, and none fails.
type Poster struct {
	box     *outbox
	sender  *sender
	kick    chan struct{}
	stop    context.CancelFunc
	done    sync.WaitGroup
	request hybridcore.Request // under the lock of box
}

// Option changes how a poster or a flush reaches its system.
type Option func(*sender)

// WithClock takes another clock, and a bound for one request.
func WithClock(clock Clock, request time.Duration) Option {
	return func(s *sender) { s.clock, s.timeout = clock, request }
}

// WithLog has the stack of a fault written to a log, a line at a time.
func WithLog(log func(line string)) Option {
	return func(s *sender) { s.log = log }
}

// WithRedaction passes every text through a function before it is written down.
func WithRedaction(redact func(string) string) Option {
	return func(s *sender) { s.redact = redact }
}

// background bounds one wait of a run that goes on; its end has a bound of its own.
const background = 10 * time.Minute

// New makes the outbox of a run in its directory, which is made when it is
// missing, and begins to send. Slot and Login have defaults: "report", and whom
// the token of a job belongs to.
func New(dir string, address Address, access Access, options ...Option) (*Poster, error) {
	address.Slot, address.System = cmp.Or(address.Slot, "report"), access.System.Name
	address.Login = cmp.Or(address.Login, access.System.Login)
	if err := address.check(access.System); err != nil {
		return nil, err
	}
	box, err := create(dir, access.System.file(), address)
	if err != nil {
		return nil, err
	}
	s, err := newSender(box, access, options)
	if err != nil {
		return nil, errors.Join(err, box.release())
	}
	ctx, stop := context.WithCancel(context.Background())
	p := &Poster{box: box, sender: s, kick: make(chan struct{}, 1), stop: stop}
	p.done.Go(func() { p.work(ctx) })
	return p, nil
}

func newSender(box *outbox, access Access, options []Option) (*sender, error) {
	s := &sender{
		box: box, system: access.System, clock: systemClock(), timeout: requestTimeout,
		problems: map[string]string{}, denied: map[string]string{},
		redact: func(text string) string { return text }, log: func(string) {},
	}
	for _, o := range options {
		o(s)
	}
	var err error
	s.forge, err = access.System.Open(access, box.address, s.timeout)
	return s, err
}

// check refuses an address that would make a request to somewhere else.
func (a Address) check(of System) error {
	parts := strings.Split(a.Repository, "/")
	switch {
	case len(parts) < 2 || len(parts) > 2 && !of.Groups ||
		slices.ContainsFunc(parts, func(p string) bool { return !plain(p) }):
		return fmt.Errorf("%.80q is not the name of a repository", a.Repository)
	case !hybridcore.IsObjectID(a.Commit):
		return fmt.Errorf("%.80q is not the full object ID of a commit", a.Commit)
	case a.Pipelined != "" && !hybridcore.IsObjectID(a.Pipelined):
		return fmt.Errorf("%.80q is not the full object ID of a commit", a.Pipelined)
	case !stampForm.MatchString(a.stamp()):
		return fmt.Errorf("slot %.40q or run %.64q is no word of lower case, digits and hyphens", a.Slot, a.Run)
	case strings.ContainsAny(a.URL, "() \t\r\n<>`"):
		return fmt.Errorf("%.200q is not the address of a job", a.URL)
	}
	return nil
}

// plain says whether a part of a repository's name is one.
func plain(part string) bool {
	return part != "" && strings.Trim(part, ".") != "" && strings.IndexFunc(part, func(r rune) bool {
		return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}

// Check reports the state of a check; only the last one counts.
func (p *Poster) Check(c report.Check) {
	p.add(line{Kind: "want", Key: checkPrefix + c.Key, Check: p.clean(c)})
}

// Step reports what a check that is in progress does now. It is not kept for
// later, and may be left out, as it is where a forge cannot show it.
func (p *Poster) Step(c report.Check) {
	if p.sender.system.NoSteps {
		return
	}
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	if it := p.box.items[checkPrefix+c.Key]; it != nil && it.check.Status != report.CheckCompleted {
		it.step = p.clean(c)
	}
	p.wake()
}

// Comment reports the text of the comment on the change; final says that it is the run's last. Without a change there is none.
func (p *Poster) Comment(markdown string, final bool) {
	if p.box.address.Change != 0 {
		p.add(line{Kind: "want", Key: commentKey, Body: fit(p.sender.redact(markdown), maxBody), Final: final})
	}
}

// Issue reports the text of the slot's issue of the repository, and whether it is to be open.
func (p *Poster) Issue(markdown string, how Issue) {
	p.add(line{Kind: "want", Key: issueKey, Body: fit(p.sender.redact(markdown), maxBody), Final: true, Issue: &how})
}

// GitHub's limits, in UTF-16 units; of a comment's 65,536 some are for its first
// and last line.
const (
	maxOutput = 65_535
	maxBody   = 64_000
)

// fit cuts what GitHub would refuse, at the end of a line.
func fit(text string, most int) string {
	const note = "\n\nThe rest does not fit here.\n"
	units := utf16.Encode([]rune(text))
	if len(units) <= most {
		return text
	}
	text = string(utf16.Decode(units[:most-len(note)]))
	if at := strings.LastIndexByte(text, '\n'); at >= 0 {
		text = text[:at]
	}
	return strings.TrimSuffix(text, "\ufffd") + note
}

// clean redacts a check, and bounds it.
func (p *Poster) clean(c report.Check) *report.Check {
	redact := p.sender.redact
	c.Title, c.Summary, c.Text = redact(c.Title), fit(redact(c.Summary), maxOutput), fit(redact(c.Text), maxOutput)
	c.Annotations = slices.Clone(c.Annotations)
	for i, a := range c.Annotations {
		c.Annotations[i].Message, c.Annotations[i].Title = redact(a.Message), redact(a.Title)
	}
	return &c
}

// add wants something, unless it is what was wanted last.
func (p *Poster) add(l line) {
	p.box.mu.Lock()
	defer p.box.mu.Unlock()
	it := p.box.items[l.Key]
	same := it != nil && it.step == nil && it.body == l.Body && it.final == l.Final && reflect.DeepEqual(it.check, l.Check) &&
		reflect.DeepEqual(it.issue, l.Issue)
	if !same {
		_ = p.box.write(l) // told by Close
	}
	p.wake()
}

func (p *Poster) wake() {
	select {
	case p.kick <- struct{}{}:
	default: // it will look anyway
	}
}

// work sends until the run ends.
func (p *Poster) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.kick:
		}
		// What cannot be sent now is tried with the next report, and by Close.
		err := p.sender.contain(func() error { return p.sender.flush(ctx, background) })
		if err != nil && ctx.Err() != nil {
			return
		}
	}
}

// Close sends what is left within the time given, and returns a line for each
// thing that was not reported, with the reason. The outbox keeps it. A run that
// is cancelled passes a context that is not.
func (p *Poster) Close(ctx context.Context, within time.Duration) []string {
	p.stop()
	p.done.Wait()
	_ = p.box.append(line{Kind: "close"}) // told by finish
	return finish(ctx, p.sender, within)
}

// finish flushes an outbox, gives it up and says what is left.
func finish(ctx context.Context, s *sender, within time.Duration) []string {
	clear(s.problems)
	err := s.contain(func() error { return s.flush(ctx, within) })
	var out []string
	counts := map[string][]string{} // reason → what
	left := 0
	for _, key := range s.box.order {
		it := s.box.items[key]
		why := it.dropped
		if it.done != it.version {
			left++
			if why = s.problems[key]; why == "" && err != nil {
				why = ShortError(err)
			}
		}
		if why != "" {
			counts[why] = append(counts[why], name(it))
		}
	}
	for why, what := range counts {
		text := what[0]
		if more := len(what) - 1; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		out = append(out, "not reported: "+text+": "+why)
	}
	out = append(out, s.notes...)
	slices.Sort(out)
	if s.box.failed != nil {
		out = append(out, s.box.failed.Error()+": what was reported is not known to a later run")
	}
	if left > 0 {
		out = append(out, fmt.Sprintf("%d reports are kept in %s", left, s.box.path))
	}
	if err := s.box.release(); err != nil {
		out = append(out, err.Error())
	}
	return out
}

func name(it *item) string {
	switch {
	case it.issue != nil:
		return "the issue"
	case it.check == nil:
		return "the comment"
	}
	return "check " + it.check.Name
}
