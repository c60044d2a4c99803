// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:24Z
// Spec: openspec/specs/packer/spec.md#requirement-failures-people-can-act-on
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package packer

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// validLine is what `packer validate` says at the end, since Packer 1.4. It is
// needed besides exit 0, which a killed inner process gives too.
const validLine = "The configuration is valid."

// collector builds up what is known of a run while its output arrives.
type collector struct {
	started time.Time
	dir     string // the scratch directory: files there are not worth naming

	mu      sync.Mutex
	builds  builds
	steps   []hybridcore.Step
	inside  bool           // a provisioner is running: lines are its output
	errors  []targetError  // error records
	marked  []markedLine   // ui,error lines with the step they came in
	broken  int            // 1 + index of the step that provisioning failed in
	summary bool           // Packer has begun to repeat its errors
	diags   []string       // texts that may hold diagnostics
	crash   string         // first line of a crash report
	valid   bool           // `packer validate` said so
	heard   bool           // anything at all was said
	tail    []string       // the last lines
	ansible output.Ansible // what Ansible said
	residue output.Residue // what the last step found in the guest
}

// targetError is why one build failed, by Packer's own record.
type targetError struct{ target, text string }

// markedLine is a line that Packer marked as an error.
type markedLine struct {
	text string
	step int // 1 + index, 0 for none
}

func newCollector(job Job, started time.Time) *collector {
	return &collector{started: started, dir: job.Scratch, builds: builds{}}
}

// record takes one record of stdout and returns its lines for log and caller.
func (c *collector) record(rec output.Record, now time.Time) []item {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = true
	switch {
	case rec.Type == output.TypeText:
		return c.text(rec.Data[0], now)
	case rec.Type == output.TypeUI && len(rec.Data) >= 2:
		return c.ui(rec.Data[0], strings.Join(rec.Data[1:], ","), now)
	case rec.Type == output.TypeError && len(rec.Data) >= 1 && len(c.errors) < output.MaxTexts:
		c.errors = append(c.errors, targetError{target: rec.Target, text: rec.Data[0]})
	case rec.Type == output.TypeErrorCount:
		c.summary = true
	case rec.Cut: // half a record is no evidence
	default:
		c.builds.add(rec)
	}
	line := strings.Join(append([]string{string(rec.Type)}, rec.Data...), " ")
	if rec.Target != "" {
		line = rec.Target + " " + line
	}
	return []item{{line: c.stamp(now) + "# " + text.Sanitize(strings.Join(output.Lines(line), " "))}}
}

// stderr takes one line of stderr as text, even if it looks like a record.
func (c *collector) stderr(rec output.Record, now time.Time) []item {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text(rec.Line, now)
}

func (c *collector) text(line string, now time.Time) []item {
	if strings.TrimSpace(line) == "" {
		return nil
	}
	c.heard = true
	var items []item
	for _, l := range output.Lines(line) {
		l = text.Sanitize(l)
		c.watch(l)
		c.keep(l)
		items = append(items, c.item(now, l, l, hybridcore.EventOutput))
	}
	return items
}

// watch looks for the first line of a crash report, in what came past Packer's
// own records: a provisioner's output cannot be taken for one.
func (c *collector) watch(line string) {
	for _, sign := range []string{"panic: ", "fatal error: "} {
		if _, after, found := strings.Cut(line, sign); found && !strings.HasPrefix(c.crash, "panic: ") {
			c.crash = output.Bound(sign + after)
			return
		}
	}
	if c.crash == "" && strings.Contains(line, "! PACKER CRASH !") {
		c.crash = "it says no more"
	}
}

// ui takes one message for people, which may have several lines.
func (c *collector) ui(kind, shown string, now time.Time) []item {
	c.remember(shown)
	var items []item
	for i, raw := range output.Lines(shown) {
		line := text.Sanitize(raw)
		source, said, own := split(line)
		event := hybridcore.EventOutput
		switch {
		case kind == "error":
			if c.mark(said); !c.summary { // which says it all again
				event = hybridcore.EventError
			}
		case own && i == 0 && kind == "say" && c.begins(said):
			event = hybridcore.EventStep
			c.step(said, now)
		}
		if source != "" || (kind == "error" && !c.summary) {
			c.keep(said)
			c.ansible.Line(said)
			c.residue.Line(said)
		}
		items = append(items, c.item(now, line, said, event))
	}
	return items
}

// remember keeps what a later verdict or a finding may need of a message.
func (c *collector) remember(text string) {
	trimmed := strings.TrimSpace(text)
	if trimmed == validLine {
		c.valid = true
	}
	if (strings.HasPrefix(trimmed, "Error: ") || strings.HasPrefix(trimmed, "Warning: ")) &&
		len(c.diags) < output.MaxTexts {
		c.diags = append(c.diags, trimmed[:min(len(trimmed), output.MaxDiagnostics)])
	}
}

func (c *collector) item(now time.Time, line, said string, kind hybridcore.EventKind) item {
	it := item{line: c.stamp(now) + line}
	if strings.TrimSpace(said) == "" {
		return it
	}
	it.show = true
	it.event = hybridcore.Event{At: now, Kind: kind, Text: said, Elapsed: now.Sub(c.started)}
	return it
}

func (c *collector) stamp(now time.Time) string {
	return fmt.Sprintf("[%9.3fs] ", now.Sub(c.started).Seconds())
}

func (c *collector) keep(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	if len(c.tail) == output.MaxTail {
		c.tail = append(c.tail[:0], c.tail[1:]...)
	}
	c.tail = append(c.tail, line)
}

func (c *collector) mark(text string) {
	if len(c.marked) < output.MaxTexts && strings.TrimSpace(text) != "" {
		c.marked = append(c.marked, markedLine{text: text, step: len(c.steps)})
	}
}

// step closes the step before and opens a new one.
func (c *collector) step(name string, now time.Time) {
	if strings.HasPrefix(name, "Provisioning step had errors") && c.broken == 0 {
		c.broken = len(c.steps)
	}
	c.endStep(now)
	if len(c.steps) < output.MaxSteps {
		c.steps = append(c.steps, hybridcore.Step{Name: name, At: now})
	}
}

func (c *collector) endStep(now time.Time) {
	if n := len(c.steps); n > 0 && c.steps[n-1].Duration == 0 {
		c.steps[n-1].Duration = now.Sub(c.steps[n-1].At)
	}
}

// failed is the step in which the build failed: where provisioning broke off,
// else where the recorded cause was first said, else the last one.
func (c *collector) failed(cause string) string {
	at := c.broken
	for _, m := range c.marked {
		if at == 0 && cause != "" && strings.Contains(m.text, cause) {
			at = m.step
		}
	}
	if at == 0 {
		at = len(c.steps)
	}
	if at == 0 {
		return ""
	}
	return c.steps[at-1].Name
}

// split takes the build's name off a line: `==> NAME: text`, or `    NAME:
// text` for the output of a step in older versions of Packer (own is false).
func split(line string) (source, text string, own bool) {
	rest, own := strings.CutPrefix(line, "==> ")
	if !own {
		var indented bool
		if rest, indented = strings.CutPrefix(line, "    "); !indented {
			return "", line, false
		}
	}
	name, text, ok := strings.Cut(rest, ":")
	if !ok || name == "" || strings.ContainsAny(name, " \t") || !strings.Contains(name, ".") {
		return "", line, false
	}
	return name, strings.TrimPrefix(text, " "), own
}

// begins says whether a line starts a step, and keeps track of whether a
// provisioner is talking.
func (c *collector) begins(said string) bool {
	if strings.TrimSpace(said) == "" {
		return false
	}
	if output.StartsWith(said, output.Wordy) {
		c.inside = true
		return true
	}
	if c.inside && !output.StartsWith(said, output.Sober) {
		return false
	}
	c.inside = false
	return true
}
