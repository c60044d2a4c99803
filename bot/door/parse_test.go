// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:14:30Z
// Spec: openspec/specs/bot/spec.md#requirement-one-grammar
// Diagram: openspec/specs/bot/diagram.md#one-command

package door

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
)

// FuzzForm reads bodies as the HTTP door does: whatever they hold, there is a
// command within bounds, or an error.
func FuzzForm(f *testing.F) {
	f.Add("command=/packer-hybrid&team_id=T0001&channel_id=C0001&user_id=U0001&text=build+debian-12&trigger_id=1.2.x")
	f.Add("payload=" + url.QueryEscape(
		`{"type":"block_actions","team":{"id":"T0001"},"user":{"id":"U0001"},"channel":{"id":"C0001"},"actions":[{"type":"button","action_id":"ph-approve","value":"r c"}]}`))
	f.Add("payload=" + url.QueryEscape(
		`{"type":"view_submission","team":{"id":"T0001"},"user":{"id":"U0001"},"view":{"callback_id":"packer-hybrid-form","private_metadata":"C0001","state":{"values":{"image":{"image":{"type":"static_select","selected_option":{"value":"debian-12"}}}}}}}`))
	f.Add("payload=null")
	f.Add("payload=" + strings.Repeat("[", 20_000))
	f.Add("%zz;&=&")
	f.Fuzz(func(t *testing.T, body string) {
		c, err := form([]byte(body))
		if err != nil {
			return
		}
		if !identifier.MatchString(c.Team) || !identifier.MatchString(c.Channel) || !identifier.MatchString(c.User) {
			t.Errorf("not by Slack's identifiers: %+v", c)
		}
		if len(c.Text) > command.MaxBytes+utf8.UTFMax || len(c.Trigger) > maxTrigger || len(c.ReplyTo) > maxReplyTo {
			t.Errorf("out of bounds: %d, %d, %d bytes", len(c.Text), len(c.Trigger), len(c.ReplyTo))
		}
	})
}
