// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:17:02Z
// Spec: openspec/specs/bot/spec.md#requirement-approval-by-another-person
// Diagram: openspec/specs/bot/diagram.md#a-decision

package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
)

// Approval is the yes of one person to a commit and its plan.
type Approval struct {
	By Person    `json:"by"`
	At time.Time `json:"at"`
}

// Pending is a command that waits for approvals.
type Pending struct {
	Requester Person
	Needs     Needs
	Given     []Approval
	Since     time.Time // when its message was written
	Commit    string    // that the message shows
	Plan      string    // digest that the message shows
}

// Answer is a rule that a command falls under, and what satisfies it.
type Answer struct {
	Need Need
	By   Approval // of whom; zero for a rule that is open
	As   string   // their role; empty for a rule that is open
}

// Open says whether nobody has satisfied the rule.
func (a Answer) Open() bool { return a.As == "" }

// Until is when the rule's time is over.
func (a Answer) Until(since time.Time) time.Time { return since.Add(a.Need.Within) }

// Answers says of each rule whether one of the approvals satisfies it now: its
// person may have lost the role since.
func (p Pending) Answers(bot config.Bot) []Answer {
	var all []Answer
	for _, need := range p.Needs {
		one := Answer{Need: need}
		for _, given := range p.Given {
			as, _ := p.satisfies(bot, need, given)
			if as != "" {
				one.By, one.As = given, as
				break
			}
		}
		all = append(all, one)
	}
	return all
}

// Missing are the rules that nobody has satisfied.
func (p Pending) Missing(bot config.Bot) []Answer {
	return slices.DeleteFunc(p.Answers(bot), func(a Answer) bool { return !a.Open() })
}

// satisfies is the role by which an approval satisfies a rule, or why it does not.
func (p Pending) satisfies(bot config.Bot, need Need, given Approval) (as string, d Decision) {
	if d = Decide(Snapshot{Bot: bot, Person: given.By}); !d.Allow {
		return "", d
	}
	for _, role := range rolesOf(bot, given.By) {
		if as == "" && slices.Contains(need.Roles, role.Name) {
			as = role.Name
		}
	}
	roles := strings.Join(need.Roles, " or ")
	switch {
	case samePerson(bot, given.By.User, p.Requester.User):
		return "", deny(need.Rule, "who asked cannot approve; it needs another person with role %s", roles)
	case as == "":
		return "", deny(need.Rule, "an approval needs role %s", roles)
	case given.At.After(p.Since.Add(need.Within)):
		return "", deny(need.Rule, "the %s for an approval are over", need.Within)
	}
	return as, Decision{Allow: true, Rule: need.Rule, Why: "approved as " + as}
}

// Seen is what an approver saw, and what there is now.
type Seen struct {
	Commit, Plan string // of the message that they saw
	Head         string // that the branch is at now
	At           time.Time
}

// Approve decides on an approval by the person of the snapshot. It counts for
// each rule that is open and that one of their roles may satisfy; without any it
// is denied.
func Approve(s Snapshot, p Pending, seen Seen) Decision {
	s.Verb, s.Cells = "", nil
	if who := Decide(s); !who.Allow { // with the rate
		return who
	}
	missing := p.Missing(s.Bot)
	if len(missing) == 0 {
		return deny(at("bot, default", s.Bot.Line), "each approval that is needed is there already")
	}
	var yes, no []Decision
	for _, open := range missing {
		if _, d := p.satisfies(s.Bot, open.Need, Approval{s.Person, seen.At}); d.Allow {
			yes = append(yes, d)
		} else {
			no = append(no, d)
		}
	}
	if len(yes) == 0 {
		return no[0]
	}
	rule := yes[0].Rule
	switch {
	case seen.Commit == "" || seen.Commit != p.Commit:
		return deny(rule, "the approval is for another commit than the message shows; look at the message again")
	case seen.Plan == "" || seen.Plan != p.Plan:
		return deny(rule, "the approval is for another plan than the message shows; look at the message again")
	case seen.Head != p.Commit:
		return deny(rule, "the branch has moved from %.12s to %.12s since the message was written", p.Commit, seen.Head)
	}
	var rules, why []string
	for _, d := range yes {
		rules = append(rules, d.Rule)
		if !slices.Contains(why, d.Why) {
			why = append(why, d.Why)
		}
	}
	return Decision{Allow: true, Rule: strings.Join(rules, ", "), Why: strings.Join(why, ", ")}
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
