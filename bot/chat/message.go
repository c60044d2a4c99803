// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:28:00Z
// Spec: openspec/specs/bot/spec.md#requirement-foreign-text-stays-text
// Diagram: openspec/specs/bot/diagram.md#one-command

package chat

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Bounds of a message, in characters, besides those of an outcome. Slack takes 50 blocks, 3,000 characters a
// text, 150 a heading, 100 rows and 10,000 characters a table.
const (
	MaxText = 3000

	maxHeading = 150
	maxURL     = 2900
	maxRules   = 15 // of approvals
)

// actionLog is the button of the log, which opens an address and asks for
// nothing. The others are door.ButtonPrefix and a verb; their value is what
// follows the verb on the command line.
const actionLog = "open-log"

// PlainText is a text object that Slack shows as it is: it knows no markup, no
// mentions and no links.
func PlainText(s string, most int) *slack.TextBlockObject {
	if s = text.Cut(text.Sanitize(s), most); strings.TrimSpace(s) == "" {
		s = "–" // Slack refuses an empty one
	}
	return &slack.TextBlockObject{Type: slack.PlainTextType, Text: s}
}

// Message is the message of a job: its text for notifications, which is still
// to be escaped, and its blocks. Nothing foreign in it is markup.
func Message(job jobs.Job) (string, []slack.Block) {
	status, said := Headline(job)
	asked := text.Cut(text.Line(job.Line), 1000)
	blocks := []slack.Block{
		slack.NewHeaderBlock(PlainText(status+": "+asked, maxHeading)),
		slack.NewSectionBlock(PlainText(asked, MaxText), nil, nil),
	}
	if said != "" {
		blocks = append(blocks, slack.NewSectionBlock(PlainText(said, MaxText), nil, nil))
	}
	if plan := planned(job); plan != "" {
		blocks = append(blocks, slack.NewSectionBlock(PlainText(plan, MaxText), nil, nil))
	}
	targets, left := job.Targets, 0
	if job.Outcome != nil && len(job.Outcome.Targets) > 0 {
		targets, left = job.Outcome.Targets, job.Outcome.More
	}
	more := max(len(targets)-cirun.MaxRows, 0) + left
	switch grid := answerOf(job); {
	case grid != nil:
		blocks, more = append(blocks, gridTable(grid)), grid.More
	case len(targets) > 0:
		blocks = append(blocks, table(targets))
	}
	if more > 0 {
		said := fmt.Sprintf("and %d more; the log has them", more)
		blocks = append(blocks, slack.NewContextBlock("", PlainText(said, MaxText)))
	}
	if said := beside(job); said != "" {
		blocks = append(blocks, slack.NewSectionBlock(PlainText(said, MaxText), nil, nil))
	}
	if buttons := buttons(job); len(buttons) > 0 {
		blocks = append(blocks, slack.NewActionBlock("", buttons...))
	}
	blocks = append(blocks, slack.NewContextBlock("", PlainText(footer(job), MaxText)))
	return text.Cut(text.Sanitize(status+": "+asked), MaxText), blocks
}

// footer says who, for what and under which name.
func footer(job jobs.Job) string {
	parts := []string{"run " + job.Command.ID, "asked for by " + job.Person.User}
	if job.Commit != "" {
		parts = append(parts, fmt.Sprintf("commit %.12s", job.Commit))
	}
	if job.Plan != nil {
		parts = append(parts, "plan "+job.Plan.Short())
	}
	for _, given := range job.Approvals() {
		parts = append(parts, "approved by "+given.By.User)
	}
	if job.Stop != nil {
		parts = append(parts, "cancelled by "+job.Stop.User)
	}
	return text.Cut(text.Line(strings.Join(parts, " · ")), MaxText)
}

// Headline is where a job is: in a word, and in a sentence when one is needed.
func Headline(job jobs.Job) (status, said string) {
	switch job.State {
	case jobs.Queued, jobs.Dispatching:
		status, said = "Queued", job.Note
	case jobs.Awaiting:
		return "Waits for approval", wanted(job)
	case jobs.Joined:
		return "Queued", "It is the same as run " + job.Joined + ", and gets its answer."
	case jobs.Running:
		status = "Running"
	case jobs.Denied:
		status = "Denied"
	case jobs.Expired:
		status = "Expired"
	case jobs.Done:
		status = "Done"
	}
	switch {
	case job.Outcome == nil && job.Stop != nil:
		return "Cancelling", ""
	case job.Outcome == nil:
		return status, said
	case job.State == jobs.Done && job.Outcome.Status == cirun.Answered && job.Outcome.Title != "":
		status = job.Outcome.Title
	case job.State == jobs.Done && job.Outcome.Status != "":
		status = strings.ToUpper(string(job.Outcome.Status[:1])) + string(job.Outcome.Status[1:])
	}
	return status, job.Outcome.Why
}

// answerOf is the table of the answer to a job; nil for none.
func answerOf(job jobs.Job) *cirun.Grid {
	if job.Outcome == nil || job.Outcome.Grid == nil || len(job.Outcome.Grid.Rows) == 0 {
		return nil
	}
	return job.Outcome.Grid
}

// beside is what is said beside the table of an answer.
func beside(job jobs.Job) string {
	if job.Outcome == nil {
		return ""
	}
	said := strings.Join(job.Outcome.Notes, "\n")
	if job.Outcome.Unsaid > 0 {
		said += fmt.Sprintf("\nand %d more; the log has them", job.Outcome.Unsaid)
	}
	return said
}

// gridTable is the table of an answer.
func gridTable(g *cirun.Grid) *slack.TableBlock {
	block := slack.NewTableBlock("")
	block.Rows = append(block.Rows, row(g.Columns...))
	for _, cells := range g.Rows[:min(len(g.Rows), cirun.MaxRows)] {
		block.Rows = append(block.Rows, row(cells...))
	}
	return block
}

// row is one of a table, of raw text.
func row(cells ...string) []slack.TableCell {
	var all []slack.TableCell
	for _, text := range cells {
		all = append(all, slack.NewTableRawTextCell(cmp.Or(cirun.Cell(text), "–")))
	}
	return all
}

// table are the targets of a run.
func table(targets []cirun.Target) *slack.TableBlock {
	block := slack.NewTableBlock("")
	block.Rows = append(block.Rows, row("Target", "Status", "Time", "Artifact", "Parity"))
	for _, t := range targets[:min(len(targets), cirun.MaxRows)] {
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
func buttons(job jobs.Job) []slack.BlockElement {
	var all []slack.BlockElement
	add := func(verb, label, value string, style slack.Style) {
		all = append(all, slack.NewButtonBlockElement(door.ButtonPrefix+verb, value, PlainText(label, 75)).WithStyle(style))
	}
	if job.State == jobs.Awaiting {
		value := job.Command.ID + " " + job.Commit
		if job.Plan != nil {
			value += " " + job.Plan.Digest()
		}
		add("approve", "Approve", value, slack.StylePrimary)
	}
	if !job.State.Final() && job.Stop == nil {
		add("cancel", "Cancel", job.Command.ID, slack.StyleDanger)
	}
	if job.Retryable() {
		add("retry", "Retry failed", job.Command.ID, slack.StyleDefault)
	}
	if address := logOf(job); address != "" {
		all = append(all, slack.NewButtonBlockElement(actionLog, "", PlainText("Open log", 75)).WithURL(address))
	}
	return all
}

// logOf is the address of a run's log; empty for none that is an address.
func logOf(job jobs.Job) string {
	if job.Run == nil || len(job.Run.URL) > maxURL {
		return ""
	}
	u, err := url.Parse(job.Run.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// Cause is what the thread of a job gets when it failed: why, and the last
// lines. It is empty when there is nothing to add.
func Cause(job jobs.Job) []slack.Block {
	out := job.Outcome
	if out == nil || len(out.Tail) == 0 ||
		!slices.Contains([]hybridcore.Status{hybridcore.Failed, hybridcore.BlockedStatus}, out.Status) {
		return nil
	}
	lines := out.Tail[max(0, len(out.Tail)-cirun.MaxTail):]
	tail := []rune(text.Sanitize(strings.Join(lines, "\n")))
	if len(tail) > MaxText { // the end is what counts
		tail = append([]rune("…"), tail[len(tail)-MaxText+1:]...)
	}
	shown := string(tail)
	if strings.TrimSpace(shown) == "" {
		shown = "–"
	}
	code := &slack.RichTextPreformatted{
		Type:     slack.RTEPreformatted,
		Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement(shown, nil)},
	}
	why := slack.NewSectionBlock(PlainText(out.Why, cirun.MaxWhy), nil, nil)
	return []slack.Block{why, slack.NewRichTextBlock("", code)}
}

// wanted says what is to be approved, by whom, and who has done so.
func wanted(job jobs.Job) string {
	plan := "not known yet: press Approve to see it"
	if job.Plan != nil {
		plan = job.Plan.Short()
	}
	lines := []string{fmt.Sprintf("Another person has to approve commit %s, plan %s, for each rule that is open.",
		cirun.Cell(job.Commit), plan)}
	rules := job.Rules()
	for _, answer := range rules[:min(len(rules), maxRules)] {
		roles, rule := cirun.Cell(strings.Join(answer.Need.Roles, " or ")), cirun.Cell(answer.Need.Rule)
		if answer.Open() {
			lines = append(lines, fmt.Sprintf("• Open: role %s, until %s UTC, by %s", roles,
				answer.Until(job.Shown).UTC().Format("15:04"), rule))
			continue
		}
		lines = append(lines, fmt.Sprintf("• Approved by %s as %s, at %s UTC, by %s", cirun.Cell(answer.By.By.User),
			cirun.Cell(answer.As), answer.By.At.UTC().Format("15:04"), rule))
	}
	if more := len(rules) - maxRules; more > 0 {
		lines = append(lines, fmt.Sprintf("• and %d more rules", more))
	}
	return strings.Join(lines, "\n")
}

// planned is what the plan of a job has, for its message; empty when there is none.
func planned(job jobs.Job) string {
	if job.State != jobs.Awaiting || job.Plan == nil {
		return ""
	}
	return "Plan " + strings.TrimPrefix(job.Plan.String(), "plan ")
}
