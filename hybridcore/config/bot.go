// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:58:22Z
// Spec: openspec/specs/bot/spec.md#requirement-policy
// Diagram: openspec/specs/bot/diagram.md#a-decision

package config

import (
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
)

// Any in a list of a scope is every name.
const Any = "*"

// Defaults and bounds of the block bot.
const (
	DefaultBotRate = 10 // commands of a user in a minute
	DefaultBotRef  = "main"

	maxBotRate    = 600
	defaultWithin = 30 * time.Minute
	minWithin     = time.Minute
	maxWithin     = 24 * time.Hour
)

// Bot is what the project says about its Slack bot. Names are the identifiers
// that Slack does not change.
type Bot struct {
	Teams     []string // workspaces: T…
	Channels  []string // where it answers: C…, or G… of old private ones
	Rate      int      // commands of a user in a minute
	Ref       string   // branch that is built
	Roles     []Role
	Approvals []Approval
	People    []Identity
	Line      int // of the block; 0: there is none
}

// Scopes are those of all rules.
func (b Bot) Scopes() []Scope {
	var all []Scope
	for _, role := range b.Roles {
		all = append(all, role.Allow...)
	}
	for _, approval := range b.Approvals {
		all = append(all, approval.Scope)
	}
	return all
}

// Role is what a set of users and groups may do.
type Role struct {
	Name   string
	Users  []string // U…, or W… of an Enterprise Grid
	Groups []string // user groups: S…
	Allow  []Scope
	Line   int
}

// Scope is a set of commands: verbs × environments × platforms × images.
type Scope struct {
	Verbs, Environments, Platforms, Images []string

	Line int
}

// Approval says which commands need the approval of another person.
type Approval struct {
	Scope

	Roles  []string // of which the approver needs one
	Within time.Duration
}

// Identity maps a Slack user to the identifiers of the same person elsewhere.
type Identity struct {
	User   string
	GitHub int64 // the user's number, which does not change; 0: none
	GitLab int64
	Line   int
}

// notInChat are verbs that nobody asks for in Slack: this one takes files of a
// machine.
var notInChat = []hybridcore.Action{hybridcore.ActionCollect}

// ChatVerbs are the verbs of the shared grammar that the bot takes.
func ChatVerbs() []command.Verb {
	return slices.DeleteFunc(command.Verbs(),
		func(v command.Verb) bool { return slices.Contains(notInChat, v.Action) })
}

// BotVerbs are the names of all verbs that a rule may name: the shared grammar's and the bot's own. The rules for
// status hold for inspect, too.
func BotVerbs() []string {
	var names []string
	for _, v := range ChatVerbs() {
		names = append(names, string(v.Action))
	}
	return append(names, "runs", "cancel", "retry")
}
