// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:12:00Z
// Spec: openspec/specs/bot/spec.md#requirement-foreign-text-stays-text
// Diagram: openspec/specs/bot/diagram.md#one-command

package chat_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	slacksim "github.com/packer-hybrid/packer-hybrid/lab/slack"
)

// Whatever a job holds, its message stays within Slack's limits and is text.
func TestHostileMessage(t *testing.T) {
	t.Parallel()
	evil := "<!channel> <@U1> <http://x|y> `$(id)` \"'\n\u202e\u200b" + strings.Repeat("𝕏", 100_000)
	job := jobs.Job{
		State: jobs.Done, Line: evil, Note: evil, Commit: evil, Run: &cirun.Run{ID: evil, URL: "javascript:alert(1)"},
		Outcome: &cirun.Outcome{Status: hybridcore.Failed, Why: evil, Tail: []string{evil}},
	}
	job.Person.User = evil
	for range 500 {
		job.Outcome.Targets = append(job.Outcome.Targets,
			cirun.Target{Name: evil, Status: evil, Step: evil, Artifact: evil, Parity: evil})
	}
	sim, err := slacksim.Start(t.Context(), slacksim.Config{
		Token: "xoxb-1", Team: "T0001", Channels: []string{"C0001"}, Users: []string{"U0001"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	client := chat.New("xoxb-1", "", sim.API())
	top, blocks := chat.Message(job)
	for _, all := range [][]slack.Block{blocks, chat.Cause(job)} {
		if _, _, err := client.API.PostMessageContext(t.Context(), "C0001", slack.MsgOptionBlocks(all...),
			slack.MsgOptionText(top, true)); err != nil {
			t.Error(err)
		}
		text, err := json.Marshal(all)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"javascript:", "\\u202e", "\u202e", "\u200b", `"mrkdwn"`} {
			if strings.Contains(string(text), bad) {
				t.Errorf("it holds %q", bad)
			}
		}
	}
	for _, m := range sim.Messages() {
		if len(m.Pings) > 0 {
			t.Errorf("a message pings or links %q", m.Pings)
		}
	}
	if v := sim.Violations(); len(v) > 0 {
		t.Errorf("Slack refused: %q", v)
	}
	if len([]rune(top)) > chat.MaxText {
		t.Errorf("the text has %d characters", len([]rune(top)))
	}
	_, _ = chat.Message(jobs.Job{}) // nothing at all is no panic
}
