// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:42:27Z
// Spec: openspec/specs/bot/spec.md#requirement-check-before-the-first-command
// Diagram: openspec/specs/bot/diagram.md#a-check

package bot

import (
	"context"
	_ "embed" // the manifest
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/slack-go/slack"
	"go.yaml.in/yaml/v3"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
)

// manifest is the Slack app that users paste.
//
//go:embed manifest.yml
var manifest []byte

// manifestScopes are the scopes of the bot's token, as the manifest has them.
func manifestScopes() ([]string, error) {
	var app struct {
		OAuth struct {
			Scopes struct {
				Bot []string `yaml:"bot"`
			} `yaml:"scopes"`
		} `yaml:"oauth_config"`
	}
	if err := yaml.Unmarshal(manifest, &app); err != nil {
		return nil, fmt.Errorf("reading the manifest of the Slack app: %w", err)
	}
	return app.OAuth.Scopes.Bot, nil
}

// Check asks Slack about the tokens, and says what is wrong and what to do: one
// problem a text.
func Check(ctx context.Context, c *chat.Client, policy config.Bot) []string {
	var problems []string
	if c.App {
		if _, _, err := c.API.StartSocketModeContext(ctx); err != nil {
			problems = append(problems, "SLACK_APP_TOKEN: "+said("a connection of Socket Mode", err,
				"it is the App-Level Token on the page Basic Information, xapp-…, with the scope connections:write; Socket Mode "+
					"must be switched on"))
		}
	}
	who, err := c.API.AuthTestContext(ctx)
	if err != nil {
		return append(problems, "SLACK_BOT_TOKEN: "+said("whose token it is", err,
			"it is the Bot User OAuth Token on the page OAuth & Permissions, xoxb-…"))
	}
	if !slices.Contains(policy.Teams, who.TeamID) {
		problems = append(problems, fmt.Sprintf("SLACK_BOT_TOKEN is of the workspace %.20q, which teams in %s:%d does not "+
			"name: add it there, or take the token of the other workspace",
			who.TeamID, config.FileName, policy.Line))
	}
	problems = append(problems, missing(who.Header)...)
	for _, channel := range policy.Channels {
		if why := outside(ctx, c, channel); why != "" {
			problems = append(problems, fmt.Sprintf("%s:%d: %s", config.FileName, policy.Line, why))
		}
	}
	for _, role := range policy.Roles {
		for _, group := range role.Groups {
			_, err := c.API.GetUserGroupMembersContext(ctx, group, slack.GetUserGroupMembersOptionTeamID(who.TeamID))
			if err != nil && !lacksScope(err) {
				problems = append(problems, fmt.Sprintf("%s:%d: %s", config.FileName, role.Line,
					said("who is in the group "+group, err,
						"check the identifier: it is in the group's address, S…, and the group must not be disabled")))
			}
		}
	}
	return problems
}

// missing says which scopes of the manifest a token has not. Slack names those
// that it has in the header of each answer.
func missing(header http.Header) []string {
	want, err := manifestScopes()
	if err != nil {
		return []string{err.Error()}
	}
	var has []string
	for scope := range strings.SplitSeq(header.Get("X-Oauth-Scopes"), ",") {
		has = append(has, strings.TrimSpace(scope))
	}
	lacking := slices.DeleteFunc(slices.Clone(want), func(scope string) bool { return slices.Contains(has, scope) })
	if len(lacking) == 0 {
		return nil
	}
	return []string{fmt.Sprintf(
		"SLACK_BOT_TOKEN lacks the scopes %s of bot/manifest.yml: add them on the page OAuth & Permissions, and install "+
			"the app again", strings.Join(lacking, ", "))}
}

// outside says why the bot cannot work in a channel; empty when it can. Only who
// is in a channel may read there; a missing scope is told of elsewhere.
func outside(ctx context.Context, c *chat.Client, channel string) string {
	_, err := c.API.GetConversationHistoryContext(ctx,
		&slack.GetConversationHistoryParameters{ChannelID: channel, Limit: 1})
	if err == nil || lacksScope(err) {
		return ""
	}
	return said("the channel "+channel, err, "check the identifier, and invite the bot there: /invite @packer-hybrid")
}

// lacksScope says whether Slack refuses a call for a missing scope.
func lacksScope(err error) bool { return chat.Refusal(err) == "missing_scope" }

// said is an error of Slack with what to do: the hint when Slack refuses what was
// sent, else to ask again.
func said(what string, err error, hint string) string {
	if !chat.Given(err) {
		hint = "try again; Slack or the way there has a problem"
	}
	return fmt.Sprintf("asking Slack for %s: %v; %s", what, chat.Shortened(err), hint)
}
