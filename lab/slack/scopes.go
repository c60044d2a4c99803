// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:42:44Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-strict-as-slack
// Diagram: openspec/specs/lab-slack/diagram.md#both-directions

package slack

import "slices"

// needs are the scopes that methods want: one of them.
var needs = map[string][]string{
	"chat.postMessage": {"chat:write"}, "chat.postEphemeral": {"chat:write"}, "chat.update": {"chat:write"},
	"conversations.history": {"channels:history", "groups:history"}, "usergroups.users.list": {"usergroups:read"},
}

// scopes are those of a call's token.
func (s *Server) scopes(c call) []string {
	switch {
	case c.method == appsOpen:
		return []string{"connections:write"}
	case s.config.Scopes != nil:
		return s.config.Scopes
	default:
		return []string{"commands", "chat:write", "usergroups:read", "channels:history", "groups:history"}
	}
}

// away says why the bot cannot use a channel; empty when it can.
func (s *Server) away(channel string) string {
	switch {
	case slices.Contains(s.config.Channels, channel):
		return ""
	case slices.Contains(s.config.Strange, channel):
		return "not_in_channel: " + channel
	default:
		return "channel_not_found: " + channel
	}
}
