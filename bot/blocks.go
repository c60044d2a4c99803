// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:28:00Z
// Spec: openspec/specs/bot/spec.md#requirement-foreign-text-stays-text
// Diagram: openspec/specs/bot/diagram.md#one-command

package bot

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Bounds of a message, in characters. Slack takes 50 blocks, 3,000 characters a
// text, 150 a heading, 100 rows and 10,000 characters a table.
const (
	maxHeading = 150
	maxText    = 3000
	maxCell    = 90
	maxRows    = 20 // × 5 cells of maxCell stay below the table's limit
	maxWhy     = 500
	maxURL     = 2900
	maxTail    = 40 // lines
)

// actionLog is the button of the log, which opens an address and asks for
// nothing. The others are door.ButtonPrefix and a verb; their value is what
// follows the verb on the command line.
const actionLog = "open-log"

// plain makes foreign text fit to be shown: without control and invisible
// characters, and at most so many characters long.
func plain(said string, most int) string {
	said = text.Sanitize(said)
	if runes := []rune(said); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return said
}

// line is plain on one line.
func line(said string, most int) string {
	return plain(text.Line(said), most)
}

// plainText is a text object that Slack shows as it is: it knows no markup, no
// mentions and no links.
func plainText(s string, most int) *slack.TextBlockObject {
	if s = plain(s, most); strings.TrimSpace(s) == "" {
		s = "–" // Slack refuses an empty one
	}
	return &slack.TextBlockObject{Type: slack.PlainTextType, Text: s}
}

// message is the message of a job: its text for notifications, which is still
// to be escaped, and its blocks. Nothing foreign in it is markup.
func message(job Job) (string, []slack.Block) {
	status, said := headline(job)
	asked := line(job.Line, 1000)
	blocks := []slack.Block{
		slack.NewHeaderBlock(plainText(status+": "+asked, maxHeading)),
		slack.NewSectionBlock(plainText(asked, maxText), nil, nil),
	}
	if said != "" {
		blocks = append(blocks, slack.NewSectionBlock(plainText(said, maxText), nil, nil))
	}
	if plan := planned(job); plan != "" {
		blocks = append(blocks, slack.NewSectionBlock(plainText(plan, maxText), nil, nil))
	}
	targets, left := job.Targets, 0
	if job.Outcome != nil && len(job.Outcome.Targets) > 0 {
		targets, left = job.Outcome.Targets, job.Outcome.More
	}
	more := max(len(targets)-maxRows, 0) + left
	switch grid := answerOf(job); {
	case grid != nil:
		blocks, more = append(blocks, grid.block()), grid.More
	case len(targets) > 0:
		blocks = append(blocks, table(targets))
	}
	if more > 0 {
		said := fmt.Sprintf("and %d more; the log has them", more)
		blocks = append(blocks, slack.NewContextBlock("", plainText(said, maxText)))
	}
	if said := beside(job); said != "" {
		blocks = append(blocks, slack.NewSectionBlock(plainText(said, maxText), nil, nil))
	}
	if buttons := buttons(job); len(buttons) > 0 {
		blocks = append(blocks, slack.NewActionBlock("", buttons...))
	}
	return plain(status+": "+asked, maxText), append(blocks, slack.NewContextBlock("", plainText(footer(job), maxText)))
}

// footer says who, for what and under which name.
func footer(job Job) string {
	parts := []string{"run " + job.Command.ID, "asked for by " + job.Person.User}
	if job.Commit != "" {
		parts = append(parts, fmt.Sprintf("commit %.12s", job.Commit))
	}
	if job.Plan != nil {
		parts = append(parts, "plan "+job.Plan.Short())
	}
	for _, given := range job.approvals() {
		parts = append(parts, "approved by "+given.By.User)
	}
	if job.Stop != nil {
		parts = append(parts, "cancelled by "+job.Stop.User)
	}
	return line(strings.Join(parts, " · "), maxText)
}

// headline is where a job is: in a word, and in a sentence when one is needed.
func headline(job Job) (status, said string) {
	switch job.State {
	case Queued, Dispatching:
		status, said = "Queued", job.Note
	case Awaiting:
		return "Waits for approval", wanted(job)
	case Joined:
		return "Queued", "It is the same as run " + job.Joined + ", and gets its answer."
	case Running:
		status = "Running"
	case Denied:
		status = "Denied"
	case Expired:
		status = "Expired"
	case Done:
		status = "Done"
	}
	switch {
	case job.Outcome == nil && job.Stop != nil:
		return "Cancelling", ""
	case job.Outcome == nil:
		return status, said
	case job.State == Done && job.Outcome.Status == Answered && job.Outcome.Title != "":
		status = job.Outcome.Title
	case job.State == Done && job.Outcome.Status != "":
		status = strings.ToUpper(string(job.Outcome.Status[:1])) + string(job.Outcome.Status[1:])
	}
	return status, job.Outcome.Why
}

// answerOf is the table of the answer to a job; nil for none.
func answerOf(job Job) *Grid {
	if job.Outcome == nil || job.Outcome.Grid == nil || len(job.Outcome.Grid.Rows) == 0 {
		return nil
	}
	return job.Outcome.Grid
}

// beside is what is said beside the table of an answer.
func beside(job Job) string {
	if job.Outcome == nil {
		return ""
	}
	said := strings.Join(job.Outcome.Notes, "\n")
	if job.Outcome.Unsaid > 0 {
		said += fmt.Sprintf("\nand %d more; the log has them", job.Outcome.Unsaid)
	}
	return said
}

// block is a table of raw text.
func (g *Grid) block() *slack.TableBlock {
	block := slack.NewTableBlock("")
	block.Rows = append(block.Rows, row(g.Columns...))
	for _, cells := range g.Rows[:min(len(g.Rows), maxRows)] {
		block.Rows = append(block.Rows, row(cells...))
	}
	return block
}

// row is one of a table, of raw text.
func row(cells ...string) []slack.TableCell {
	var all []slack.TableCell
	for _, cell := range cells {
		if cell = line(cell, maxCell); cell == "" {
			cell = "–"
		}
		all = append(all, slack.NewTableRawTextCell(cell))
	}
	return all
}

// table are the targets of a run.
func table(targets []Target) *slack.TableBlock {
	block := slack.NewTableBlock("")
	block.Rows = append(block.Rows, row("Target", "Status", "Time", "Artifact", "Parity"))
	for _, t := range targets[:min(len(targets), maxRows)] {
		status, took := t.Status, ""
		if t.Step != "" {
			status += ": " + t.Step
		}
		if t.Duration > 0 {
			took = t.Duration.Round(time.Second).String()
		}
		block.Rows = append(block.Rows, row(t.Name, status, took, t.Artifact, t.Parity))
	}
	return block
}

// buttons are what can be done with a job.
func buttons(job Job) []slack.BlockElement {
	var all []slack.BlockElement
	add := func(verb, label, value string, style slack.Style) {
		all = append(all, slack.NewButtonBlockElement(door.ButtonPrefix+verb, value, plainText(label, 75)).WithStyle(style))
	}
	if job.State == Awaiting {
		value := job.Command.ID + " " + job.Commit
		if job.Plan != nil {
			value += " " + job.Plan.Digest()
		}
		add("approve", "Approve", value, slack.StylePrimary)
	}
	if !job.State.Final() && job.Stop == nil {
		add("cancel", "Cancel", job.Command.ID, slack.StyleDanger)
	}
	if job.retryable() {
		add("retry", "Retry failed", job.Command.ID, slack.StyleDefault)
	}
	if address := logOf(job); address != "" {
		all = append(all, slack.NewButtonBlockElement(actionLog, "", plainText("Open log", 75)).WithURL(address))
	}
	return all
}

// logOf is the address of a run's log; empty for none that is an address.
func logOf(job Job) string {
	if job.Run == nil || len(job.Run.URL) > maxURL {
		return ""
	}
	u, err := url.Parse(job.Run.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// cause is what the thread of a job gets when it failed: why, and the last
// lines. It is empty when there is nothing to add.
func cause(job Job) []slack.Block {
	out := job.Outcome
	if out == nil || len(out.Tail) == 0 ||
		!slices.Contains([]hybridcore.Status{hybridcore.Failed, hybridcore.BlockedStatus}, out.Status) {
		return nil
	}
	lines := out.Tail[max(0, len(out.Tail)-maxTail):]
	tail := []rune(text.Sanitize(strings.Join(lines, "\n")))
	if len(tail) > maxText { // the end is what counts
		tail = append([]rune("…"), tail[len(tail)-maxText+1:]...)
	}
	shown := string(tail)
	if strings.TrimSpace(shown) == "" {
		shown = "–"
	}
	code := &slack.RichTextPreformatted{
		Type:     slack.RTEPreformatted,
		Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement(shown, nil)},
	}
	return []slack.Block{slack.NewSectionBlock(plainText(out.Why, maxWhy), nil, nil), slack.NewRichTextBlock("", code)}
}
