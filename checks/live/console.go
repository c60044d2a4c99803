// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:10Z
// Spec: openspec/specs/reports/spec.md#requirement-progress-of-a-build
// Diagram: openspec/specs/reports/diagram.md#values-to-text

// Package live shows what a run does while it goes on: a line for each event, and
// on a terminal a live one for each target.
package live

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// refresh is how often the live lines are redrawn: often enough for a clock
// with tenths of a second, rarely enough for a slow SSH connection.
const refresh = 200 * time.Millisecond

// Console prints progress as it happens. Its methods may be called from
// several goroutines.
type Console struct {
	out     io.Writer
	style   checks.Style
	verbose bool

	mu   sync.Mutex
	live *mpb.Progress // nil when out is no terminal
	bars map[string]*liveLine
}

type liveLine struct {
	bar  *mpb.Bar
	step string
}

// NewConsole makes a console that writes to out. With verbose every line of
// the builder's output is printed, not only its steps.
func NewConsole(out io.Writer, style checks.Style, verbose bool) *Console {
	c := &Console{out: out, style: style, verbose: verbose, bars: map[string]*liveLine{}}
	if style.Live {
		c.live = mpb.New(mpb.WithOutput(out), mpb.WithRefreshRate(refresh), mpb.WithWidth(1), mpb.WithAutoRefresh())
		c.out = c.live // prints above the live lines
	}
	return c
}

// Event prints one event of a build.
func (c *Console) Event(e hybridcore.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e.Kind {
	case hybridcore.EventStart:
		c.line(e, c.style.Dim("start"), e.Text)
		c.open(e)
	case hybridcore.EventStep:
		if !c.verbose {
			e.Text = text.Cut(e.Text, maxStep)
		}
		c.line(e, "", e.Text)
		if l := c.bars[e.Target]; l != nil {
			l.step = e.Text
		}
	case hybridcore.EventOutput:
		if c.verbose {
			c.line(e, "", c.style.Dim("  "+e.Text))
		}
		if l := c.bars[e.Target]; l != nil && strings.HasPrefix(e.Text, "TASK [") {
			task, _, _ := strings.Cut(e.Text, "]") // Ansible fills the line with asterisks
			l.step = text.Cut(task+"]", maxStep)
		}
	case hybridcore.EventError:
		c.line(e, c.style.Red("error"), e.Text)
	case hybridcore.EventNote:
		c.line(e, c.style.Yellow("note"), e.Text)
	case hybridcore.EventDone:
		c.line(e, c.style.Status(hybridcore.Status(e.Text), e.Text), "")
		if l := c.bars[e.Target]; l != nil {
			l.bar.Abort(true)
			delete(c.bars, e.Target)
		}
	}
}

// maxStep bounds a step's line, in runes: Ansible's command line is a thousand.
const maxStep = 120

// line prints "[  12.3s] TARGET  word text".
func (c *Console) line(e hybridcore.Event, word, text string) {
	if word != "" && text != "" {
		word += " "
	}
	_, _ = fmt.Fprintf(c.out, "%s %s  %s%s\n", c.style.Dim(fmt.Sprintf("[%6.1fs]", e.Elapsed.Seconds())), e.Target, word,
		text)
}

// open adds the live line of a target.
func (c *Console) open(e hybridcore.Event) {
	if c.live == nil {
		return
	}
	l := &liveLine{step: e.Text}
	l.bar = c.live.New(0, mpb.SpinnerStyle(), mpb.AppendDecorators(
		decor.Name(" "+e.Target+"  "),
		decor.Elapsed(decor.ET_STYLE_MMSS),
		decor.Any(func(decor.Statistics) string { return "  " + c.step(l) }),
	))
	c.bars[e.Target] = l
}

// step reads a live line's step; mpb draws from a goroutine of its own.
func (c *Console) step(l *liveLine) string {
	if !c.mu.TryLock() {
		return "" // an event is being printed: the next refresh shows it
	}
	defer c.mu.Unlock()
	return l.step
}

// Close removes the live lines. Nothing may be printed through the console afterwards.
func (c *Console) Close() {
	c.mu.Lock()
	for target, l := range c.bars {
		l.bar.Abort(true)
		delete(c.bars, target)
	}
	live := c.live
	c.mu.Unlock()
	if live != nil {
		live.Wait()
	}
}
