// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:45:32Z
// Spec: openspec/specs/bot/spec.md#requirement-check-before-the-first-command
// Diagram: openspec/specs/bot/diagram.md#a-check

package bot_test

import (
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/bot"
	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/lab/slack"
)

// TestCheck asks Slack about tokens, scopes, channels and groups: each problem is
// named with what to do, and nothing else is.
func TestCheck(t *testing.T) {
	t.Parallel()
	right := config.Bot{
		Teams: []string{"T0001"}, Channels: []string{"C0001", "C0002"}, Line: 10,
		Roles: []config.Role{{Name: "developer", Line: 14, Groups: []string{"S0001"}}},
	}
	for name, c := range map[string]struct {
		slack      func(*slack.Config)
		token, app string
		faults     string
		policy     func(*config.Bot)
		want       []string // problems, each with its parts
	}{
		"all is right": {},
		"no app token": {app: "none"},
		"bot's token": {token: "xoxb-2", want: []string{
			"SLACK_BOT_TOKEN: asking Slack for whose token it is: invalid_auth; it is the Bot User OAuth Token",
		}},
		"both tokens": {token: "xoxb-2", app: "xapp-2", want: []string{
			"SLACK_APP_TOKEN: asking Slack for a connection of Socket Mode: invalid_auth; it is the App-Level Token on the " +
				"page Basic Information, xapp-…, with the scope connections:write",
			"SLACK_BOT_TOKEN: ",
		}},
		"another workspace": {policy: func(p *config.Bot) { p.Teams = []string{"T0002"} }, want: []string{
			`SLACK_BOT_TOKEN is of the workspace "T0001", which teams in packer-hybrid.hcl:10 does not name`,
		}},
		"two scopes": {
			slack: func(c *slack.Config) { c.Scopes = []string{"commands", "chat:write", "channels:history"} },
			want: []string{
				"SLACK_BOT_TOKEN lacks the scopes usergroups:read, groups:history of bot/manifest.yml: add them on the page " +
					"OAuth & Permissions, and install the app again",
			},
		},
		"no scopes": {slack: func(c *slack.Config) { c.Scopes = []string{} }, want: []string{
			"lacks the scopes commands, chat:write, usergroups:read, channels:history, groups:history",
		}},
		"not invited": {
			slack:  func(c *slack.Config) { c.Strange = []string{"C0003"} },
			policy: func(p *config.Bot) { p.Channels = []string{"C0003", "C0001", "C0009"} }, want: []string{
				"packer-hybrid.hcl:10: asking Slack for the channel C0003: not_in_channel; check the identifier, and invite the " +
					"bot there: /invite @packer-hybrid",
				"packer-hybrid.hcl:10: asking Slack for the channel C0009: channel_not_found",
			},
		},
		"group": {policy: func(p *config.Bot) { p.Roles[0].Groups = []string{"S0009"} }, want: []string{
			"packer-hybrid.hcl:14: asking Slack for who is in the group S0009: no_such_subteam; check the identifier",
		}},
		"Slack is ill": {
			faults: "POST /api/auth.test status=503",
			want: []string{"SLACK_BOT_TOKEN: asking Slack for whose token it is: slack server error: 503 Service " +
				"Unavailable; try again"},
		},
		"Slack limits": {
			faults: `POST /api/apps.connections.open status=429 header="Retry-After: 7"`,
			want: []string{"SLACK_APP_TOKEN: asking Slack for a connection of Socket Mode: slack rate limit exceeded, retry " +
				"after 7s; try again"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := slack.Config{
				Token: "xoxb-1", AppToken: "xapp-1", Team: "T0001", Channels: []string{"C0001", "C0002"}, Users: []string{"U0001"},
				Groups: map[string][]string{"S0001": {"U0001"}},
			}
			if c.slack != nil {
				c.slack(&settings)
			}
			sim, err := slack.Start(t.Context(), settings)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = sim.Close() })
			if err := sim.Faults().Load(c.faults); err != nil {
				t.Fatal(err)
			}
			policy := right
			policy.Roles = []config.Role{right.Roles[0]}
			if c.policy != nil {
				c.policy(&policy)
			}
			token, app := "xoxb-1", "xapp-1"
			if c.token != "" {
				token = c.token
			}
			if c.app != "" {
				app = strings.TrimPrefix(c.app, "none")
			}
			got := bot.Check(t.Context(), chat.New(token, app, sim.API()), policy)
			for i, want := range c.want {
				if len(got) != len(c.want) || !strings.Contains(got[i], want) {
					t.Fatalf("the problems are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("there are problems: %q", got)
			}
			if all := strings.Join(got, "\n"); strings.Contains(all, "xoxb-1") || strings.Contains(all, "xoxb-2") ||
				strings.Contains(all, "xapp-2") {
				t.Errorf("a token is shown: %s", all)
			}
			if len(sim.Messages()) > 0 {
				t.Error("something was written")
			}
		})
	}
}
