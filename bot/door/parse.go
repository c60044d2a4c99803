// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:09:13Z
// Spec: openspec/specs/bot/spec.md#requirement-one-grammar
// Diagram: openspec/specs/bot/diagram.md#one-command

package door

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
)

// Identifiers of what the bot shows, by which Slack says what was used.
const (
	// FormID is the callback of the form; its channel is its private metadata.
	FormID = "packer-hybrid-form"
	// FormImage, FormPlatforms and FormEnv are the form's inputs, each the ID of
	// a block and of its element.
	FormImage     = "image"
	FormPlatforms = "platforms"
	FormEnv       = "env"
	// ButtonPrefix stands before the verb in the action ID of a button; the
	// button's value is what follows the verb.
	ButtonPrefix = "ph-"
)

// errNothing says that a payload asks for nothing, such as a button that only
// opens a page.
var errNothing = errors.New("asks for nothing")

// buttons are the verbs that a button may stand for.
var buttons = []string{"approve", "cancel", "retry"}

// identifier is the form of Slack's identifiers.
var identifier = regexp.MustCompile(`^[A-Z][A-Z0-9]{2,20}$`)

// form reads a body of the HTTP door: the form of a slash command, or one
// field with the JSON of an interaction.
func form(body []byte) (Command, error) {
	var f fields
	for field := range strings.SplitSeq(string(body), "&") {
		name, value, _ := strings.Cut(field, "=")
		into := f.named(name)
		if into == nil || *into != "" {
			continue
		}
		var err error
		if *into, err = url.QueryUnescape(value); err != nil {
			return Command{}, errors.New("the body is no form")
		}
	}
	switch {
	case f.payload != "":
		return interactive([]byte(f.payload))
	case f.Command == "":
		return Command{}, errors.New("the body is neither a slash command nor an interaction")
	}
	return slash(f.SlashCommand)
}

// fields are those of a body that are read.
type fields struct {
	slack.SlashCommand

	payload string
}

// named is the field of that name; nil for one that is not read.
func (f *fields) named(name string) *string {
	switch name {
	case "payload":
		return &f.payload
	case "command":
		return &f.Command
	case "team_id":
		return &f.TeamID
	case "channel_id":
		return &f.ChannelID
	case "user_id":
		return &f.UserID
	case "text":
		return &f.Text
	case "trigger_id":
		return &f.TriggerID
	case "response_url":
		return &f.ResponseURL
	default:
		return nil
	}
}

// slash makes a command of a slash command.
func slash(s slack.SlashCommand) (Command, error) {
	return Command{
		Team: s.TeamID, Channel: s.ChannelID, User: s.UserID, Text: strings.TrimSpace(s.Text), Trigger: s.TriggerID,
		ReplyTo: s.ResponseURL,
	}.checked()
}

// interactive makes a command of a button or of the form.
func interactive(payload []byte) (Command, error) {
	var in slack.InteractionCallback
	if err := json.Unmarshal(payload, &in); err != nil {
		return Command{}, errors.New("the payload of the interaction is not what Slack sends")
	}
	c := Command{
		Team: in.Team.ID, Channel: in.Channel.ID, User: in.User.ID, Trigger: in.TriggerID,
		ReplyTo: in.ResponseURL,
	}
	switch in.Type {
	case slack.InteractionTypeBlockActions:
		if c.Channel == "" {
			c.Channel = in.Container.ChannelID
		}
		for _, action := range in.ActionCallback.BlockActions {
			if action == nil {
				continue
			}
			verb, ours := strings.CutPrefix(action.ActionID, ButtonPrefix)
			if ours && slices.Contains(buttons, verb) {
				c.Text = verb + " " + action.Value
				return c.checked()
			}
		}
		return Command{}, errNothing
	case slack.InteractionTypeViewSubmission:
		if in.View.CallbackID != FormID {
			return Command{}, errNothing
		}
		c.Channel, c.Trigger = in.View.PrivateMetadata, ""
		line, err := submitted(in.View.State)
		if err != nil {
			return Command{}, err
		}
		c.Text = line
		return c.checked()
	default:
		return Command{}, errNothing
	}
}

// submitted is the form as a line of the grammar.
func submitted(state *slack.ViewState) (string, error) {
	if state == nil {
		return "", errors.New("the form has no state")
	}
	line := "build"
	if image := state.Values[FormImage][FormImage].SelectedOption.Value; image != "" {
		line += " " + image
	}
	if env := state.Values[FormEnv][FormEnv].SelectedOption.Value; env != "" {
		line += " --env " + env
	}
	var platforms []string
	for _, option := range state.Values[FormPlatforms][FormPlatforms].SelectedOptions {
		platforms = append(platforms, option.Value)
	}
	if len(platforms) > 0 {
		line += " --targets " + strings.Join(platforms, ",")
	}
	return line, nil
}

// checked refuses what Slack never sends, and bounds what it does. Only a
// command whose text is whole is short enough for the grammar.
func (c Command) checked() (Command, error) {
	for _, id := range [][2]string{{"team", c.Team}, {"channel", c.Channel}, {"user", c.User}} {
		if !identifier.MatchString(id[1]) {
			return Command{}, fmt.Errorf("the %s %.40q is no identifier of Slack", id[0], id[1])
		}
	}
	if len(c.Text) > command.MaxBytes {
		end := command.MaxBytes + 1
		for end < len(c.Text) && !utf8.RuneStart(c.Text[end]) {
			end++
		}
		c.Text = c.Text[:end]
	}
	if len(c.Trigger) > maxTrigger || len(c.ReplyTo) > maxReplyTo {
		return Command{}, errors.New("the trigger or the response_url is too long to be Slack's")
	}
	return c, nil
}

// Bounds of what Slack sends, in bytes.
const (
	maxTrigger = 200
	maxReplyTo = 500
)
