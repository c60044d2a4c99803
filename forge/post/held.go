// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:13:02Z
// Spec: openspec/specs/posting/spec.md#requirement-reports-that-another-job-sends
// Diagram: openspec/specs/posting/diagram.md#held-and-sent

package post

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// HeldName is the file of held reports in their folder.
const HeldName = "report.json"

// Bounds of held reports.
const (
	maxHeld        = 4 << 20 // bytes of the file
	maxHeldReports = 8       // of one job
	maxHeldTitle   = 200     // characters
	maxHeldNotes   = 250     // annotations of a check
	maxHeldChecks  = 400     // of a report
)

// Held is the report of one request as the job of a change keeps it: what is
// wanted, and neither where it goes nor what became of it. The job that sends
// it runs none of the change's code, takes the address from its own event, and
// trusts nothing in here.
type Held struct {
	Slot    string         `json:"slot"`
	Checks  []report.Check `json:"checks"`  // the first is of the run as a whole
	Comment string         `json:"comment"` // Markdown
}

// Hold makes the held form of a report.
func Hold(r report.Report, slot string, now time.Time) Held {
	all := report.Checks(r, now)
	comment := all[0].Summary
	all = all[:min(len(all), maxHeldChecks)]
	for i := range all {
		all[i].Annotations = all[i].Annotations[:min(len(all[i].Annotations), maxHeldNotes)]
	}
	return Held{Slot: slot, Checks: all, Comment: fit(comment, maxBody)}
}

// WriteHeld writes the reports of a job.
func WriteHeld(w io.Writer, all []Held) error {
	text, err := json.Marshal(all)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the held reports: %w", err)
	}
	return nil
}

// ReadHeld reads the reports that are held in a folder. The file is that of a
// job which read a stranger's code: it is a regular file, bounded and of the
// form that WriteHeld gives, or it is refused with a BlockedError.
func ReadHeld(dir string) ([]Held, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the held reports: %w", err)
	}
	defer root.Close() //nolint:errcheck // only read
	// Not to be held up by a pipe, and not to follow a link.
	f, err := root.OpenFile(HeldName, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, hybridcore.Blockedf("no report is held in %s: the job of the change ended before it had one", dir)
	case err != nil:
		return nil, hybridcore.Blockedf("the held report is no regular file: %v", err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() && info.Size() <= maxHeld {
		var data []byte
		if data, err = io.ReadAll(io.LimitReader(f, maxHeld+1)); err == nil {
			return parseHeld(data)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the held reports: %w", err)
	}
	return nil, hybridcore.Blockedf("the held report is no regular file of at most %d MiB", maxHeld>>20)
}

// parseHeld reads and bounds held reports.
func parseHeld(data []byte) ([]Held, error) {
	if len(data) > maxHeld {
		return nil, hybridcore.Blockedf("the held report has more than %d MiB", maxHeld>>20)
	}
	var all []*Held
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&all)
	if err == nil {
		if _, end := decoder.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("there is something behind it")
		}
	}
	if err != nil {
		return nil, hybridcore.Blockedf("the held report is not one that packer-hybrid writes: %.300s",
			text.Sanitize(err.Error()))
	}
	if len(all) == 0 || len(all) > maxHeldReports {
		return nil, hybridcore.Blockedf("%d reports are held; a job has 1 to %d", len(all), maxHeldReports)
	}
	var held []Held
	names := map[string]bool{}
	for i, h := range all {
		if h == nil {
			return nil, hybridcore.Blockedf("held report %d is null", i+1)
		}
		if err := h.check(); err != nil {
			return nil, hybridcore.Blockedf("held report %d is refused: %v", i+1, err)
		}
		for _, c := range h.Checks {
			if names["slot "+h.Slot] || names["check "+c.Name] || names["key "+h.Slot+" "+c.Key] {
				return nil, hybridcore.Blockedf("held report %d is there twice, or has a check twice", i+1)
			}
			names["check "+c.Name], names["key "+h.Slot+" "+c.Key] = true, true
		}
		names["slot "+h.Slot] = true
		held = append(held, h.inert())
	}
	return held, nil
}

// heldName and heldTarget hold for the checks of a change: it is planned and validated,
// and must not speak for a build.
var (
	heldName   = regexp.MustCompile(`^packer-hybrid (plan|validate)( [a-z0-9][a-z0-9._-]{0,63})?$`)
	heldTarget = regexp.MustCompile(`^([a-z0-9][a-z0-9._-]{0,63}@[a-z]{1,20}) \(([a-z0-9][a-z0-9._-]{0,63})\)$`)
	heldSlot   = regexp.MustCompile(`^report(-[1-9][0-9]?)?$`)
)

// check refuses what no job of a change reports.
func (h Held) check() error {
	switch {
	case !heldSlot.MatchString(h.Slot):
		return fmt.Errorf("its slot is %.40q", h.Slot)
	case len(h.Checks) == 0 || len(h.Checks) > maxHeldChecks:
		return fmt.Errorf("it has %d checks; a report has 1 to %d", len(h.Checks), maxHeldChecks)
	case h.Checks[0].Key != "":
		return fmt.Errorf("its first check is of %.100q, and not of the run as a whole", h.Checks[0].Key)
	}
	for _, c := range h.Checks {
		if err := checkHeld(c); err != nil {
			return err
		}
	}
	return nil
}

// named says whether a check of a change has the name that goes with its key: that of
// the run as a whole, of another environment, or of a target in one.
func named(c report.Check) bool {
	if target := heldTarget.FindStringSubmatch(c.Name); target != nil {
		return c.Key == target[2]+"/"+target[1]
	}
	return heldName.MatchString(c.Name) && (c.Key == "" || c.Name == "packer-hybrid plan "+c.Key)
}

// checkHeld refuses a check that no job of a change reports.
func checkHeld(c report.Check) error {
	switch {
	case !named(c):
		return fmt.Errorf("its check is %.100q of %.100q, and a change is planned and validated only", c.Name, c.Key)
	case c.Status != report.CheckCompleted:
		return fmt.Errorf("its check is %.40q, not completed", c.Status)
	case !slices.Contains([]string{report.Success, report.Failure, report.CancelledDone}, c.Conclusion):
		return fmt.Errorf("its conclusion is %.40q", c.Conclusion)
	case len(c.Annotations) > maxHeldNotes:
		return fmt.Errorf("it has %d annotations, and %d at most are sent", len(c.Annotations), maxHeldNotes)
	}
	for _, a := range c.Annotations {
		if !fs.ValidPath(a.Path) || len(a.Path) > 1000 || text.Sanitize(a.Path) != a.Path || a.Line < 1 ||
			!slices.Contains([]string{report.LevelNotice, report.LevelWarning, report.LevelFailure}, a.Level) {
			return fmt.Errorf("it has an annotation of the level %.20q at line %d of %.100q", a.Level, a.Line, a.Path)
		}
	}
	return nil
}

// inert is the report with its texts made harmless and short once more.
func (h Held) inert() Held {
	own := Held{Slot: h.Slot, Comment: fit(markdown(h.Comment), maxBody)}
	for _, c := range h.Checks {
		own.Checks = append(own.Checks, inert(c))
	}
	return own
}

func inert(c report.Check) report.Check {
	now := time.Now()
	for _, at := range []*time.Time{&c.Started, &c.Completed} { // no time of its own counts but a recent one
		if at.After(now) || now.Sub(*at) > 24*time.Hour {
			*at = now
		}
	}
	c.Title = short(c.Title)
	c.Summary, c.Text = fit(markdown(c.Summary), maxOutput), fit(markdown(c.Text), maxOutput)
	c.Annotations = slices.Clone(c.Annotations)
	for i, a := range c.Annotations {
		c.Annotations[i].Title = short(a.Title)
		c.Annotations[i].Message = fit(text.Sanitize(a.Message), maxHeldTitle*16)
	}
	return c
}

// short is a text on one line.
func short(said string) string {
	runes := []rune(strings.Join(strings.Fields(text.Sanitize(said)), " "))
	return string(runes[:min(len(runes), maxHeldTitle)])
}

var (
	// ownTag is a tag that reports are written with.
	ownTag = regexp.MustCompile(`^</?(details|summary|b|code|pre)>`)
	// called is what would call a person, or load or name another address.
	called = regexp.MustCompile(`!\[|\]\(|\]:|://|\bwww\.`)
	// entity is one that our own reports are written with; another could be an @.
	entity = regexp.MustCompile(`^&(lt|gt|amp|quot|#34|#39);`)
)

// markdown makes Markdown harmless that another process wrote: it keeps the
// structure of our reports, and no HTML but theirs, no mention, picture or link.
func markdown(said string) string {
	said = text.Sanitize(strings.ReplaceAll(said, "\r", ""))
	var b strings.Builder
	for {
		at := strings.IndexByte(said, '<')
		if at < 0 {
			break
		}
		b.WriteString(said[:at])
		if tag := ownTag.FindString(said[at:]); tag != "" {
			b.WriteString(tag)
			said = said[at+len(tag):]
			continue
		}
		b.WriteString("&lt;")
		said = said[at+1:]
	}
	b.WriteString(said)
	return Disarm(strings.ReplaceAll(breakUp(called, entities(b.String())), "@", "@\u2060"))
}

// entities shows each entity that our reports do not have as it is written.
func entities(text string) string {
	var b strings.Builder
	for at := strings.IndexByte(text, '&'); at >= 0; at = strings.IndexByte(text, '&') {
		b.WriteString(text[:at+1])
		if !entity.MatchString(text[at:min(len(text), at+8)]) {
			b.WriteString("amp;")
		}
		text = text[at+1:]
	}
	b.WriteString(text)
	return b.String()
}

// breakUp puts an invisible word joiner into each match, before its last byte.
func breakUp(pattern *regexp.Regexp, text string) string {
	return pattern.ReplaceAllStringFunc(text, func(found string) string {
		return found[:len(found)-1] + "\u2060" + found[len(found)-1:]
	})
}

// Send reports what was held. The texts pass the poster's redaction and bounds
// like any other.
func (p *Poster) Send(h Held) {
	for _, c := range h.Checks {
		p.Check(c)
	}
	p.Comment(h.Comment, true)
}

// quick is the beginning of a line that GitLab would obey as a quick action in
// the name of the token's owner: /approve, /merge.
var quick = regexp.MustCompile(`(?m)^([\t ]*)/`)

// Disarm puts an invisible word joiner before what could be a quick action,
// wherever it stands: GitLab's own exceptions for code have changed before.
func Disarm(body string) string {
	return quick.ReplaceAllString(strings.ReplaceAll(body, "\r", ""), "${1}\u2060/")
}
