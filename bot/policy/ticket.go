// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:17:02Z
// Spec: openspec/specs/bot/spec.md#requirement-tickets
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
)

// TicketLife is how long a ticket is good for: GitHub keeps a job waiting for a
// runner as long.
const TicketLife = 24 * time.Hour

// Audience is whom a ticket is for.
type Audience struct {
	System     string `json:"system"`     // github, gitlab or local
	Repository string `json:"repository"` // OWNER/NAME, a project's path or number, or a folder
	File       string `json:"file"`       // of the workflow or pipeline; empty for a local run
}

// Names of what is not told apart by case: GitHub and GitLab take both.
func (a Audience) matches(b Audience) bool {
	return a.System == b.System && a.File == b.File &&
		(a.Repository == b.Repository || a.System != "local" && strings.EqualFold(a.Repository, b.Repository))
}

// Ticket is a decision as it travels to the job that carries it out.
type Ticket struct {
	Audience  Audience   `json:"audience"`
	Expires   time.Time  `json:"expires"`
	Request   string     `json:"request"` // ID
	Person    Person     `json:"person"`
	Verb      string     `json:"verb"`
	Cells     []Cell     `json:"cells,omitempty"`
	Commit    string     `json:"commit"` // full object ID that the command is for
	Plan      *Plan      `json:"plan,omitempty"`
	Decision  Decision   `json:"decision"`
	Approvals []Approval `json:"approvals,omitempty"`
	Shown     time.Time  `json:"shown,omitzero"` // when the approvers were shown commit and plan
	Requested time.Time  `json:"requested"`
}

// Pending is what the ticket's approvals were given for.
func (t Ticket) Pending(needs Needs) Pending {
	return Pending{Requester: t.Person, Needs: needs, Given: t.Approvals, Since: t.Shown, Commit: t.Commit}
}

// Refuses says why a ticket is not for a job: one of the audiences must be its
// own, and its end must be ahead. It is empty for one that is.
func (t Ticket) Refuses(now time.Time, mine ...Audience) string {
	switch {
	case !slices.ContainsFunc(mine, t.Audience.matches):
		return "it is for " + t.Audience.String() + ", and this is " + mine[0].String()
	case now.After(t.Expires):
		return "it ended at " + t.Expires.UTC().Format(time.RFC3339)
	}
	return ""
}

// String is the audience for people.
func (a Audience) String() string {
	return a.System + " " + cmp.Or(a.Repository, "?") + " " + cmp.Or(a.File, "-")
}

// Recheck decides on a ticket once more, by the rules that the caller has read: those of the default branch.
// Membership in groups is taken from the ticket: a job cannot ask.
func Recheck(bot config.Bot, t Ticket, commit string) Decision {
	d := Decide(Snapshot{Bot: bot, Person: t.Person, Verb: t.Verb, Cells: t.Cells})
	switch {
	case !d.Allow:
		return d
	case t.Commit == "" || t.Commit != commit:
		return deny("commit", "the command is for commit %.12s, and this is %.12s", t.Commit, commit)
	case len(d.Need) == 0:
		return d
	case t.Plan == nil:
		return deny(d.Need[0].Rule, "an approval of the plan is needed, and there is none")
	}
	var as []string
	for _, answer := range t.Pending(d.Need).Answers(bot) {
		if answer.Open() {
			return deny(answer.Need.Rule, "an approval is needed by another person with role %s, and there is none",
				strings.Join(answer.Need.Roles, " or "))
		}
		as = append(as, answer.By.By.User+" as "+answer.As)
	}
	return Decision{Allow: true, Rule: d.Rule, Why: "allowed, and approved by " + strings.Join(as, ", "), Need: d.Need}
}
