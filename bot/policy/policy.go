// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:58:22Z
// Spec: openspec/specs/bot/spec.md#requirement-policy
// Diagram: openspec/specs/bot/diagram.md#a-decision

// Package policy decides what somebody in Slack may do: pure functions over one
// snapshot, with the rule that made each decision.
package policy

import (
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
	// Need is an approval that must come first; nil for none.
	Need *Need `json:"need,omitempty"`
}

// Need is an approval that a rule asks for.
type Need struct {
	Roles  []string      `json:"roles"` // of which the approver must have one
	Within time.Duration `json:"within_ns"`
	Rule   string        `json:"rule"`
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
		listed(scope.Environments, cell.Env) && listed(scope.Platforms, string(cell.Platform)) && listed(scope.Images, cell.Image))
}

func listed(names []string, name string) bool {
	return slices.Contains(names, config.Any) || slices.Contains(names, name)
}

// need is the first approval rule that a command falls under: that of its
// strictest cell is what counts, and rules are read in their order.
func need(bot config.Bot, verb string, cells []Cell) *Need {
	for _, rule := range bot.Approvals {
		if slices.ContainsFunc(cells, func(cell Cell) bool { return covers(rule.Scope, verb, cell) }) {
			return &Need{Roles: rule.Roles, Within: rule.Within, Rule: at("approval", rule.Line)}
		}
	}
	return nil
}

// Pending is a command that waits for an approval.
type Pending struct {
	Requester Person
	Need      Need
	Since     time.Time // when its message was written
	Commit    string    // that the message shows
	Head      string    // that the branch is at now
	Seen      string    // that the approver saw
	Now       time.Time
}

// Approve decides on an approval by the person of the snapshot.
func Approve(s Snapshot, p Pending) Decision {
	s.Verb, s.Cells = "", nil
	who := Decide(s)
	if !who.Allow {
		return who
	}
	rule := p.Need.Rule
	var as string
	for _, role := range rolesOf(s.Bot, s.Person) {
		if slices.Contains(p.Need.Roles, role.Name) {
			as = role.Name
			break
		}
	}
	switch {
	case samePerson(s.Bot, s.Person.User, p.Requester.User):
		return deny(rule, "who asked cannot approve; it needs another person with role %s", strings.Join(p.Need.Roles, " or "))
	case as == "":
		return deny(rule, "an approval needs role %s", strings.Join(p.Need.Roles, " or "))
	case p.Now.After(p.Since.Add(p.Need.Within)):
		return deny(rule, "the %s for an approval are over", p.Need.Within)
	case p.Seen == "" || p.Seen != p.Commit:
		return deny(rule, "the approval is for another commit than the message shows; look at the message again")
	case p.Head != p.Commit:
		return deny(rule, "the branch has moved from %.12s to %.12s since the message was written", p.Commit, p.Head)
	}
	return Decision{Allow: true, Rule: rule, Why: "approved as " + as}
}

// samePerson says whether two users are one, also by their Git identity.
func samePerson(bot config.Bot, one, other string) bool {
	if one == other {
		return true
	}
	a, b := identity(bot, one), identity(bot, other)
	return a.GitHub != 0 && a.GitHub == b.GitHub || a.GitLab != 0 && a.GitLab == b.GitLab
}

func identity(bot config.Bot, user string) config.Identity {
	for _, person := range bot.People {
		if person.User == user {
			return person
		}
	}
	return config.Identity{}
}

// Ticket is a decision as it travels to the job that carries it out.
type Ticket struct {
	Request   string    `json:"request"` // ID
	Person    Person    `json:"person"`
	Verb      string    `json:"verb"`
	Cells     []Cell    `json:"cells,omitempty"`
	Commit    string    `json:"commit"` // full object ID that the command is for
	Decision  Decision  `json:"decision"`
	Approver  *Person   `json:"approver,omitempty"`
	Approved  time.Time `json:"approved,omitzero"`
	Requested time.Time `json:"requested"`
}

// Recheck decides on a ticket once more, by the policy of the commit that the
// job runs. Membership in groups is taken from the ticket: a job cannot ask.
func Recheck(bot config.Bot, t Ticket, commit string) Decision {
	d := Decide(Snapshot{Bot: bot, Person: t.Person, Verb: t.Verb, Cells: t.Cells})
	switch {
	case !d.Allow:
		return d
	case t.Commit == "" || t.Commit != commit:
		return deny("commit", "the command is for commit %.12s, and this is %.12s", t.Commit, commit)
	case d.Need == nil:
		return d
	case t.Approver == nil:
		return deny(d.Need.Rule, "an approval is needed, and there is none")
	}
	yes := Approve(Snapshot{Bot: bot, Person: *t.Approver}, Pending{
		Requester: t.Person, Need: *d.Need, Since: t.Approved, Now: t.Approved, Commit: commit, Head: commit, Seen: t.Commit,
	})
	if !yes.Allow {
		return yes
	}
	return Decision{Allow: true, Rule: d.Rule, Why: "allowed, and " + yes.Why}
}
