// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/bot/spec.md#requirement-policy
// Diagram: openspec/specs/bot/diagram.md#a-decision

package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Rules of Slack's identifiers.
var (
	teamID    = regexp.MustCompile(`^[TE][A-Z0-9]{2,20}$`)
	channelID = regexp.MustCompile(`^[CGD][A-Z0-9]{2,20}$`)
	userID    = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)
	groupID   = regexp.MustCompile(`^S[A-Z0-9]{2,20}$`)
)

// bot reads the block bot.
func (d *decoder) bot(block *hclsyntax.Block, p *Project) {
	d.labels(block, 0)
	b := Bot{Rate: DefaultBotRate, Ref: DefaultBotRef, Line: block.TypeRange.Start.Line}
	d.settings(block, map[string]setting{
		"teams":    ids(teamID, "workspace, such as T0123ABCD", &b.Teams),
		"channels": ids(channelID, "channel, such as C0123ABCD", &b.Channels),
		"rate":     count(maxBotRate, &b.Rate),
		"ref": {cty.String, func(v cty.Value) error {
			b.Ref = v.AsString()
			return hybridcore.CheckRevision(b.Ref)
		}},
	}, "teams", "channels")
	known := []string{"role", "approval", "person"}
	var approvals []*hclsyntax.Block // as b.Approvals
	for _, inner := range block.Body.Blocks {
		switch inner.Type {
		case "role":
			d.role(inner, &b)
		case "approval":
			d.approval(inner, &b)
			approvals = append(approvals, inner)
		case "person":
			d.person(inner, &b)
		default:
			d.add(inner.TypeRange, fmt.Sprintf("unknown block %q in bot%s", inner.Type,
				text.DidYouMean(inner.Type, known)), "blocks here: "+strings.Join(known, ", "))
		}
	}
	if len(b.Roles) == 0 {
		d.add(block.TypeRange, "bot has no role, so it would deny everything",
			`add role "operator" { users = ["U0123ABCD"] ... }`)
	}
	for i, approval := range b.Approvals {
		for _, name := range approval.Roles {
			if !slices.ContainsFunc(b.Roles, func(r Role) bool { return r.Name == name }) {
				d.add(approvals[i].TypeRange, fmt.Sprintf("role %q is not declared", name), "")
			}
		}
	}
	p.Bot = b
}

func (d *decoder) role(block *hclsyntax.Block, b *Bot) {
	if !d.labels(block, 1) {
		return
	}
	role := Role{Name: block.Labels[0], Line: block.TypeRange.Start.Line}
	if err := hybridcore.CheckName("role", role.Name); err != nil {
		d.add(block.LabelRanges[0], err.Error(), "")
	}
	d.settings(block, map[string]setting{
		"users":  ids(userID, "user, such as U0123ABCD", &role.Users),
		"groups": ids(groupID, "user group, such as S0123ABCD", &role.Groups),
	})
	for _, inner := range block.Body.Blocks {
		if inner.Type != "allow" {
			d.add(inner.TypeRange, fmt.Sprintf("unknown block %q in role%s", inner.Type,
				text.DidYouMean(inner.Type, []string{"allow"})), "a role has blocks allow")
			continue
		}
		d.labels(inner, 0)
		role.Allow = append(role.Allow, d.scope(inner, nil))
	}
	if len(role.Users)+len(role.Groups) == 0 {
		d.add(block.TypeRange, fmt.Sprintf("role %q has neither users nor groups", role.Name), "")
	}
	if slices.ContainsFunc(b.Roles, func(other Role) bool { return other.Name == role.Name }) {
		d.add(block.TypeRange, fmt.Sprintf("role %q is there twice", role.Name), "merge it with the first one")
	}
	b.Roles = append(b.Roles, role)
}

func (d *decoder) approval(block *hclsyntax.Block, b *Bot) {
	d.labels(block, 0)
	a := Approval{Within: defaultWithin}
	a.Scope = d.scope(block, map[string]setting{
		"roles":  names("role", &a.Roles),
		"within": duration(minWithin, maxWithin, "30m", &a.Within),
	}, "roles")
	b.Approvals = append(b.Approvals, a)
}

// scope reads the four lists of a scope, and what its block has besides. Verbs
// and environments must be given; no platforms and no images are all of them.
func (d *decoder) scope(block *hclsyntax.Block, more map[string]setting, required ...string) Scope {
	s := Scope{Platforms: []string{Any}, Images: []string{Any}, Line: block.TypeRange.Start.Line}
	settings := map[string]setting{
		"verbs":        among("verb", BotVerbs(), &s.Verbs),
		"environments": names("environment", &s.Environments),
		"platforms":    among("platform", hybridcore.PlatformNames(), &s.Platforms),
		"images":       names("image", &s.Images),
	}
	maps.Copy(settings, more)
	d.body(block, settings, append([]string{"verbs", "environments"}, required...)...)
	return s
}

func (d *decoder) person(block *hclsyntax.Block, b *Bot) {
	if !d.labels(block, 1) {
		return
	}
	one := Identity{User: block.Labels[0], Line: block.TypeRange.Start.Line}
	if !userID.MatchString(one.User) {
		d.add(block.LabelRanges[0], fmt.Sprintf("%.40q is not the identifier of a user, such as U0123ABCD", one.User),
			"Slack shows it in a profile's menu: Copy member ID")
	}
	d.body(block, map[string]setting{"github": number(&one.GitHub), "gitlab": number(&one.GitLab)})
	if slices.ContainsFunc(b.People, func(other Identity) bool { return other.User == one.User }) {
		d.add(block.TypeRange, fmt.Sprintf("person %q is there twice", one.User), "merge it with the first one")
	}
	b.People = append(b.People, one)
}
