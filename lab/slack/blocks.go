// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:53:32Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-strict-as-slack
// Diagram: openspec/specs/lab-slack/diagram.md#both-directions

package slack

import (
	"encoding/json"
	"fmt"
	"regexp"
	"unicode/utf8"
)

// Limits of Block Kit, in characters where it is text.
const (
	maxMessageBlocks = 50
	maxViewBlocks    = 100
	maxSection       = 3000
	maxLabel         = 75
	maxValue         = 2000
	maxTitle         = 24
	maxActions       = 25
	maxOptions       = 100
	maxMetadata      = 3000
)

// object is a text object of Block Kit.
type object struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// wrong says whether a text is not plain, empty or too long.
func (o *object) wrong(most int) bool {
	return o == nil || o.Type != "plain_text" || o.Text == "" || utf8.RuneCountInString(o.Text) > most
}

// block is a block as far as it is checked.
type block struct {
	Type     string            `json:"type"`
	Text     *object           `json:"text"`
	Fields   []object          `json:"fields"`
	Elements []json.RawMessage `json:"elements"`
	Label    *object           `json:"label"`
	Element  *element          `json:"element"`
	Rows     [][]object        `json:"rows"`
}

// element is an element of a block as far as it is checked.
type element struct {
	Type     string  `json:"type"`
	ActionID string  `json:"action_id"`
	Text     *object `json:"text"`
	Value    string  `json:"value"`
	Options  []struct {
		Text  *object `json:"text"`
		Value string  `json:"value"`
	} `json:"options"`
}

// blocks checks blocks, and lists the mentions and links in their markup.
func blocks(text string, most int) (found []string, problem string) {
	var all []block
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, "no list of blocks"
	}
	if len(all) > most {
		return nil, fmt.Sprintf("%d blocks", len(all))
	}
	for i, b := range all {
		more, wrong := b.check()
		if wrong != "" {
			return nil, fmt.Sprintf("block %d: %s", i, wrong)
		}
		found = append(found, more...)
	}
	return found, ""
}

// parts are the texts and elements of a block.
func (b block) parts() (texts []object, elements []element, problem string) {
	texts = append(texts, b.Fields...)
	if b.Text != nil {
		texts = append(texts, *b.Text)
	}
	switch b.Type {
	case "divider":
	case "header":
		if b.Text.wrong(150) {
			return nil, nil, "no plain text of 150 characters in a header"
		}
	case "section":
		if len(texts) == 0 {
			return nil, nil, "no text"
		}
	case "context":
		more, ok := decoded[object](b.Elements, 10)
		if !ok {
			return nil, nil, "elements of context"
		}
		texts = append(texts, more...)
	case "actions":
		more, ok := decoded[element](b.Elements, maxActions)
		if !ok {
			return nil, nil, "elements of actions"
		}
		elements = more
	case "table":
		return nil, nil, b.table()
	case "rich_text":
		if len(b.Elements) == 0 {
			return nil, nil, "rich text without elements"
		}
	case "input":
		if b.Label.wrong(2000) || b.Element == nil {
			return nil, nil, "input without label or element"
		}
		elements = []element{*b.Element}
	default:
		return nil, nil, "unknown type " + b.Type
	}
	return texts, elements, ""
}

// table checks a table: 100 rows of 20 cells, 10,000 characters, no markup.
func (b block) table() string {
	all := 0
	for _, row := range b.Rows {
		if len(row) == 0 || len(row) > 20 {
			return fmt.Sprintf("a row of %d cells", len(row))
		}
		for _, cell := range row {
			if cell.Type != "raw_text" || cell.Text == "" {
				return "a cell of type " + cell.Type
			}
			all += utf8.RuneCountInString(cell.Text)
		}
	}
	if len(b.Rows) == 0 || len(b.Rows) > 100 || all > 10_000 {
		return fmt.Sprintf("a table of %d rows and %d characters", len(b.Rows), all)
	}
	return ""
}

// decoded are the elements of a block, from one to the most that it may have.
func decoded[T any](raw []json.RawMessage, most int) ([]T, bool) {
	var all []T
	for _, one := range raw {
		var value T
		if json.Unmarshal(one, &value) != nil {
			return nil, false
		}
		all = append(all, value)
	}
	return all, len(all) > 0 && len(all) <= most
}

func (b block) check() (found []string, problem string) {
	texts, elements, problem := b.parts()
	if problem != "" {
		return nil, problem
	}
	for _, t := range texts {
		if t.Type != "plain_text" && t.Type != "mrkdwn" || t.Text == "" || utf8.RuneCountInString(t.Text) > maxSection {
			return nil, fmt.Sprintf("text of %d characters", utf8.RuneCountInString(t.Text))
		}
		if t.Type == "mrkdwn" {
			found = append(found, pings(t.Text, false)...)
		}
	}
	for _, e := range elements {
		if wrong := e.check(); wrong != "" {
			return nil, wrong
		}
	}
	return found, ""
}

func (e element) check() string {
	switch {
	case e.ActionID == "" || len(e.ActionID) > 255:
		return "no action_id"
	case e.Type == "button" && (e.Text.wrong(maxLabel) || len(e.Value) > maxValue):
		return "text or value of a button"
	case (e.Type == "static_select" || e.Type == "checkboxes") &&
		(len(e.Options) == 0 || len(e.Options) > maxOptions || e.Type == "checkboxes" && len(e.Options) > 10):
		return fmt.Sprintf("%d options", len(e.Options))
	}
	for _, o := range e.Options {
		if o.Text.wrong(maxLabel) || o.Value == "" || len(o.Value) > 150 {
			return "text or value of an option"
		}
	}
	return ""
}

// pings are the mentions and links that Slack makes of a text with markup.
func pings(text string, names bool) []string {
	found := markup.FindAllString(text, -1)
	if names {
		found = append(found, linked.FindAllString(text, -1)...)
	}
	return found
}

// markup are the forms of a text that Slack turns into a mention or a link.
var markup = regexp.MustCompile(`<(?:![^<>]*|[@#][^<>]*|[a-z]+:[^<>]*)>`)

// linked are the names that become mentions where the sender asks for that.
var linked = regexp.MustCompile(`@(?:channel|here|everyone)\b`)
