// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:58:22Z
// Spec: openspec/specs/bot/spec.md#requirement-policy
// Diagram: openspec/specs/bot/diagram.md#a-decision

// Package policy decides what somebody in Slack may do: pure functions over one
// snapshot, with the rule that made each decision.
package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
)

// Cell is one target of one environment.
type Cell struct {
	Env      string              `json:"env"`
	Image    string              `json:"image"`
	Platform hybridcore.Platform `json:"platform"`
}

// String is the cell as the state names it: ENV/IMAGE@PLATFORM.
func (c Cell) String() string { return c.Env + "/" + hybridcore.TargetName(c.Image, c.Platform) }

// Person is who asks: identifiers that Slack does not change.
type Person struct {
	Team    string   `json:"team"`
	Channel string   `json:"channel"`
	User    string   `json:"user"`
	Groups  []string `json:"groups,omitempty"` // of those that the policy names
}

// Snapshot is all that a decision depends on.
type Snapshot struct {
	Bot    config.Bot
	Person Person
	Recent int    // commands of the user in the last minute, without this one
	Verb   string // empty: only whether this person may ask for anything
	Cells  []Cell // what the command means; empty for verbs that have no target
}

// Decision is the answer, with the rule that made it.
type Decision struct {
	Allow bool   `json:"allow"`
	Rule  string `json:"rule"` // with its line in the project file
	Why   string `json:"why"`  // one sentence
	// Need are the approvals that must come first, one of each; empty for none.
	Need Needs `json:"need,omitempty"`
}

func deny(rule, format string, args ...any) Decision {
	return Decision{Rule: rule, Why: fmt.Sprintf(format, args...)}
}

// at names a rule with its place.
func at(what string, line int) string {
	return fmt.Sprintf("%s (%s:%d)", what, config.FileName, line)
}

// Decide decides on a command. It denies what no rule allows.
func Decide(s Snapshot) Decision {
	bot, who := s.Bot, s.Person
	switch {
	case !slices.Contains(bot.Teams, who.Team):
		return deny(at("bot teams", bot.Line), "the workspace is not one of the policy")
	case !slices.Contains(bot.Channels, who.Channel):
		return deny(at("bot channels", bot.Line), "this channel is not one of the policy")
	case s.Recent >= bot.Rate:
		return deny(at("bot rate", bot.Line), "that was more than %d commands in a minute; try again in a minute", bot.Rate)
	}
	roles := rolesOf(bot, who)
	if len(roles) == 0 {
		return deny(at("bot, default", bot.Line), "you have no role")
	}
	if s.Verb == "" || s.Verb == "help" {
		return Decision{Allow: true, Rule: at("role "+roles[0].Name, roles[0].Line), Why: "has a role"}
	}
	rule := ""
	cells := s.Cells
	if len(cells) == 0 {
		cells = []Cell{{}}
	}
	for _, cell := range cells {
		found := allowing(roles, s.Verb, cell)
		if found == "" {
			return denied(bot, roles, s.Verb, cell)
		}
		if rule == "" {
			rule = found
		}
	}
	return Decision{Allow: true, Rule: rule, Why: "allowed", Need: need(bot, s.Verb, s.Cells)}
}

// denied says which target no rule allows.
func denied(bot config.Bot, roles []config.Role, verb string, cell Cell) Decision {
	var names []string
	for _, role := range roles {
		names = append(names, role.Name)
	}
	rule := at("bot, default", bot.Line)
	if cell == (Cell{}) {
		return deny(rule, "no rule of your roles (%s) allows %s", strings.Join(names, ", "), verb)
	}
	return deny(rule, "no rule of your roles (%s) allows %s of %s", strings.Join(names, ", "), verb, cell)
}

// rolesOf are the roles that somebody has, by user or by group.
func rolesOf(bot config.Bot, who Person) []config.Role {
	var roles []config.Role
	for _, role := range bot.Roles {
		member := slices.ContainsFunc(role.Groups, func(group string) bool { return slices.Contains(who.Groups, group) })
		if member || slices.Contains(role.Users, who.User) {
			roles = append(roles, role)
		}
	}
	return roles
}

// allowing is the first rule that allows a verb for a cell; empty for none.
func allowing(roles []config.Role, verb string, cell Cell) string {
	for _, role := range roles {
		for _, scope := range role.Allow {
			if covers(scope, verb, cell) {
				return at("role "+role.Name+", allow", scope.Line)
			}
		}
	}
	return ""
}

// covers says whether a scope has a verb and a cell; no cell is in every scope
// with the verb.
func covers(scope config.Scope, verb string, cell Cell) bool {
	return listed(scope.Verbs, verb) && (cell == Cell{} ||
		listed(scope.Environments, cell.Env) && listed(scope.Platforms, string(cell.Platform)) &&
			listed(scope.Images, cell.Image))
}

func listed(names []string, name string) bool {
	return slices.Contains(names, config.Any) || slices.Contains(names, name)
}

// need are the approval rules that any cell of a command falls under. With more
// cells they are never fewer.
func need(bot config.Bot, verb string, cells []Cell) Needs {
	var all Needs
	for _, rule := range bot.Approvals {
		if slices.ContainsFunc(cells, func(cell Cell) bool { return covers(rule.Scope, verb, cell) }) {
			all = append(all, Need{Roles: rule.Roles, Within: rule.Within, Rule: at("approval", rule.Line)})
		}
	}
	return all
}

// Need is an approval that a rule asks for.
type Need struct {
	Roles  []string      `json:"roles"` // of which the approver must have one
	Within time.Duration `json:"within_ns"`
	Rule   string        `json:"rule"` // with its line in the project file
}

// Needs are approvals that rules ask for, one of each.
type Needs []Need

// UnmarshalJSON also reads the one approval that earlier versions wrote down.
func (n *Needs) UnmarshalJSON(data []byte) error {
	if one := bytes.TrimSpace(data); len(one) > 0 && one[0] == '{' {
		data = slices.Concat([]byte("["), one, []byte("]"))
	}
	var all []Need
	if err := json.Unmarshal(data, &all); err != nil {
		return fmt.Errorf("reading approvals that are needed: %w", err)
	}
	*n = all
	return nil
}
