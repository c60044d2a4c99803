// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:17:02Z
// Spec: openspec/specs/security/spec.md#requirement-every-matching-rule-is-satisfied
// Diagram: openspec/specs/bot/diagram.md#a-decision

package policy_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
)

const (
	commit = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	moved  = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// twoRules has developers approve Proxmox VE, and operators Azure.
const twoRules = `project { name = "x" }
environment "prod" { prod = true }
bot {
  teams    = ["T0001"]
  channels = ["C0001"]
  role "developer" {
    users = ["U0001", "U0004", "U0005"]
    allow {
      verbs        = ["build"]
      environments = ["*"]
    }
  }
  role "operator" {
    users = ["U0002", "U0005"]
    allow {
      verbs        = ["*"]
      environments = ["*"]
    }
  }
  approval {
    verbs        = ["build"]
    environments = ["prod"]
    platforms    = ["proxmox"]
    roles        = ["developer"]
  }
  approval {
    verbs        = ["build"]
    environments = ["prod"]
    platforms    = ["azure"]
    roles        = ["operator"]
    within       = "10m"
  }
}
`

func botOf(t *testing.T, text string) config.Bot {
	t.Helper()
	p, err := config.LoadFS(fstest.MapFS{config.FileName: {Data: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return p.Bot
}

// TestEveryRule builds for two platforms whose rules have approvers of their own.
func TestEveryRule(t *testing.T) {
	t.Parallel()
	b, now := botOf(t, twoRules), time.Now()
	both := []policy.Cell{cell("prod", "debian-12", "proxmox"), cell("prod", "debian-12", "azure")}
	const developers, operators = "approval (packer-hybrid.hcl:20)", "approval (packer-hybrid.hcl:26)"
	for name, test := range map[string]struct {
		cells []policy.Cell
		by    []string
		open  []string
	}{
		"nobody":               {both, nil, []string{developers, operators}},
		"a developer":          {both, []string{"U0004"}, []string{operators}},
		"two developers":       {both, []string{"U0004", "U0005"}, nil}, // the second one is an operator too
		"an operator":          {both, []string{"U0002"}, []string{developers}},
		"one of each":          {both, []string{"U0002", "U0004"}, nil},
		"one with both roles":  {both, []string{"U0005"}, nil},
		"who asked":            {both, []string{"U0001", "U0002"}, []string{developers}},
		"nobody that is known": {both, []string{"U0009"}, []string{developers, operators}},
		"Proxmox VE alone":     {both[:1], []string{"U0004"}, nil},
		"Azure alone":          {both[1:], []string{"U0004"}, []string{operators}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := policy.Decide(policy.Snapshot{Bot: b, Person: person("U0001"), Verb: "build", Cells: test.cells})
			if !d.Allow || len(d.Need) != len(test.cells) {
				t.Fatalf("decided: %+v", d)
			}
			pending := policy.Pending{Requester: person("U0001"), Needs: d.Need, Since: now, Commit: commit, Plan: "p"}
			var gave []policy.Approval
			for _, user := range test.by {
				gave = append(gave, policy.Approval{By: person(user), At: now})
			}
			pending.Given = gave
			var open []string
			for _, rule := range pending.Missing(b) {
				open = append(open, rule.Need.Rule)
			}
			if !slices.Equal(open, test.open) {
				t.Errorf("open are %q, want %q", open, test.open)
			}
			plan := policy.UnknownPlan(test.cells, "")
			ticket := policy.Ticket{
				Person: person("U0001"), Verb: "build", Cells: test.cells, Commit: commit, Plan: &plan,
				Approvals: gave, Shown: now,
			}
			if again := policy.Recheck(b, ticket, commit); again.Allow != (len(test.open) == 0) {
				t.Errorf("the job decides %+v", again)
			}
		})
	}
}

// TestMoreTargetsNeverNeedLess adds targets to commands under random policies.
func TestMoreTargetsNeverNeedLess(t *testing.T) {
	t.Parallel()
	const seed1, seed2, cases = 20261130, 7, 20_000
	r := rand.New(rand.NewPCG(seed1, seed2)) // the same cases each time
	some := func(from []string, any bool) []string {
		if any && r.IntN(4) == 0 {
			return []string{config.Any}
		}
		var list []string
		for _, name := range from {
			if r.IntN(2) == 0 {
				list = append(list, name)
			}
		}
		return list
	}
	envs, images, verbs := []string{"lab", "prod"}, []string{"a", "b", "c"}, []string{"build", "publish"}
	platforms, roles := []string{"proxmox", "vsphere", "azure"}, []string{"r1", "r2", "r3"}
	users := []string{"U1", "U2", "U3", "U4", "U5"}
	now := time.Now()
	needed, open := 0, 0
	for n := range cases {
		b := config.Bot{Teams: []string{"T0001"}, Channels: []string{"C0001"}, Rate: 10, Line: 1}
		for i, name := range roles {
			all := config.Scope{
				Verbs: []string{config.Any}, Environments: []string{config.Any},
				Platforms: []string{config.Any}, Images: []string{config.Any}, Line: i,
			}
			b.Roles = append(b.Roles, config.Role{
				Name: name, Users: append(some(users[1:], false), users[0]),
				Allow: []config.Scope{all},
			})
		}
		for i := range r.IntN(5) {
			b.Approvals = append(b.Approvals, config.Approval{Within: time.Hour, Roles: some(roles, false), Scope: config.Scope{
				Verbs: some(verbs, true), Environments: some(envs, true), Platforms: some(platforms, true), Images: some(images,
					true), Line: 100 + i,
			}})
		}
		var cells []policy.Cell
		for range 1 + r.IntN(4) {
			cells = append(cells, cell(envs[r.IntN(2)], images[r.IntN(3)], hybridcore.Platform(platforms[r.IntN(3)])))
		}
		less := cells[:1+r.IntN(len(cells))]
		var given []policy.Approval
		for _, user := range some(users[1:], false) {
			given = append(given, policy.Approval{By: person(user), At: now})
		}
		decide := func(cells []policy.Cell) (policy.Decision, []policy.Answer) {
			d := policy.Decide(policy.Snapshot{Bot: b, Person: person(users[0]), Verb: verbs[n%2], Cells: cells})
			p := policy.Pending{Requester: person(users[0]), Needs: d.Need, Given: given, Since: now, Commit: commit}
			return d, p.Missing(b)
		}
		few, fewOpen := decide(less)
		many, manyOpen := decide(cells)
		if !few.Allow || !many.Allow {
			t.Fatalf("case %d is denied: %+v %+v", n, few, many)
		}
		for _, need := range few.Need {
			if !slices.ContainsFunc(many.Need, func(o policy.Need) bool { return o.Rule == need.Rule }) {
				t.Fatalf("case %d: %v needs %s, and %v does not; %+v", n, less, need.Rule, cells, b.Approvals)
			}
		}
		for _, need := range fewOpen {
			if !slices.ContainsFunc(manyOpen, func(o policy.Answer) bool { return o.Need.Rule == need.Need.Rule }) {
				t.Fatalf("case %d: %s is open for %v, and not for %v", n, need.Need.Rule, less, cells)
			}
		}
		needed, open = needed+len(many.Need), open+len(fewOpen)
	}
	if needed < cases/10 || open < cases/10 {
		t.Errorf("%d approvals were needed and %d were open in %d cases: they test little", needed, open, cases)
	}
}

// TestApprove has people approve who may and who may not.
func TestApprove(t *testing.T) {
	t.Parallel()
	now := time.Now()
	good := policy.Seen{Commit: commit, Plan: "p", Head: commit, At: now.Add(time.Minute)}
	for name, test := range map[string]struct {
		by     policy.Person
		change func(*policy.Pending, *policy.Seen)
		why    string // empty: allowed
	}{
		"another operator":      {person("U0003"), nil, ""},
		"the requester":         {person("U0002"), nil, "who asked cannot approve"},
		"the same Git identity": {person("U0004"), nil, "who asked cannot approve"},
		"another role":          {person("U0001"), nil, "an approval needs role operator"},
		"nobody":                {person("U0009"), nil, "you have no role"},
		"too late": {person("U0003"), func(_ *policy.Pending,
			s *policy.Seen,
		) {
			s.At = now.Add(10*time.Minute + 1)
		}, "are over"},
		"the branch moved": {
			person("U0003"), func(_ *policy.Pending, s *policy.Seen) { s.Head = moved },
			"the branch has moved from aaaaaaaaaaaa to bbbbbbbbbbbb",
		},
		"an old message": {person("U0003"), func(p *policy.Pending, s *policy.Seen) {
			p.Commit, s.Head = moved,
				moved
		}, "for another commit"},
		"no commit": {person("U0003"), func(p *policy.Pending, s *policy.Seen) {
			p.Commit, *s = "",
				policy.Seen{At: now}
		}, "for another commit"},
		"another plan": {
			person("U0003"), func(p *policy.Pending, _ *policy.Seen) { p.Plan = "q" },
			"for another plan",
		},
		"no plan": {
			person("U0003"), func(p *policy.Pending, s *policy.Seen) { p.Plan, s.Plan = "", "" },
			"for another plan",
		},
		"satisfied already": {person("U0003"), func(p *policy.Pending, _ *policy.Seen) {
			p.Given = []policy.Approval{{By: person("U0003"), At: now}}
		}, "is there already"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := bot(t)
			need := policy.Decide(policy.Snapshot{
				Bot: b, Person: person("U0002"), Verb: "build",
				Cells: []policy.Cell{cell("prod", "debian-12", "vsphere")},
			}).Need
			pending, seen := policy.Pending{Requester: person("U0002"), Needs: need, Since: now, Commit: commit, Plan: "p"}, good
			if test.change != nil {
				test.change(&pending, &seen)
			}
			d := policy.Approve(policy.Snapshot{Bot: b, Person: test.by}, pending, seen)
			if d.Allow != (test.why == "") || !strings.Contains(d.Why, test.why) || d.Rule == "" {
				t.Errorf("got %+v", d)
			}
		})
	}
}

// TestOldNeed reads decisions that earlier versions wrote down.
func TestOldNeed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`{"allow":true,"need":{"roles":["operator"],"within_ns":60000000000,"rule":"approval"}}`: 1,
		`{"allow":true,"need":[{"roles":["a"],"rule":"x"},{"roles":["b"],"rule":"y"}]}`:          2,
		`{"allow":true,"need":null}`: 0,
		`{"allow":true}`:             0,
		`{"allow":true,"need":3}`:    -1,
	} {
		var d policy.Decision
		err := json.Unmarshal([]byte(text), &d)
		if (err != nil) != (want < 0) || err == nil && len(d.Need) != want {
			t.Errorf("%s is %+v, %v", text, d, err)
		}
	}
}

// TestRecheck decides once more where the job runs.
func TestRecheck(t *testing.T) {
	t.Parallel()
	now := time.Now()
	cells := []policy.Cell{cell("prod", "debian-12", "vsphere")}
	plan := policy.UnknownPlan(cells, "")
	ticket := policy.Ticket{
		Request: "r", Person: person("U0002"), Verb: "build", Cells: cells, Commit: commit, Plan: &plan,
		Approvals: []policy.Approval{{By: person("U0003"), At: now}}, Shown: now,
	}
	b := bot(t)
	if d := policy.Recheck(b, ticket, commit); !d.Allow {
		t.Errorf("got %+v", d)
	}
	change := func(do func(*policy.Ticket)) policy.Ticket {
		other := ticket
		do(&other)
		return other
	}
	gone := bot(t)
	gone.Roles = gone.Roles[:1]
	for name, d := range map[string]policy.Decision{
		"another commit": policy.Recheck(b, ticket, strings.Repeat("b", 40)),
		"no approval":    policy.Recheck(b, change(func(t *policy.Ticket) { t.Approvals = nil }), commit),
		"no plan":        policy.Recheck(b, change(func(t *policy.Ticket) { t.Plan = nil }), commit),
		"own approval": policy.Recheck(b, change(func(t *policy.Ticket) {
			t.Approvals = []policy.Approval{{
				By: t.Person,
				At: now,
			}}
		}), commit),
		"too late": policy.Recheck(b, change(func(t *policy.Ticket) { t.Shown = now.Add(-11 * time.Minute) }),
			commit),
		"role taken away":  policy.Recheck(gone, ticket, commit),
		"policy is gone":   policy.Recheck(config.Bot{}, ticket, commit),
		"nothing is known": policy.Recheck(b, policy.Ticket{}, ""),
	} {
		if d.Allow {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// TestPlan compares plans of a command.
func TestPlan(t *testing.T) {
	t.Parallel()
	cells := []policy.Cell{cell("prod", "a", "vsphere"), cell("prod", "b", "vsphere"), cell("prod", "c", "vsphere")}
	inputs := map[string]map[string]string{"prod/a@vsphere": {"file:x": "1"}, "prod/b@vsphere": {"file:x": "1"}}
	plan := policy.NewPlan(cells, inputs)
	if same := policy.NewPlan(cells, inputs); same.Digest() != plan.Digest() || len(plan.Differs(same)) > 0 {
		t.Error("the same inputs give another plan")
	}
	if lacks := plan.Lacks(); !slices.Equal(lacks, []string{"prod/c@vsphere"}) ||
		!strings.Contains(plan.String(), "does not make prod/c@vsphere") {
		t.Errorf("the commit does not make %q: %s", lacks, plan)
	}
	inputs["prod/b@vsphere"] = map[string]string{"file:x": "2"}
	inputs["prod/c@vsphere"] = map[string]string{}
	other := policy.NewPlan(cells, inputs)
	if differs := plan.Differs(other); !slices.Equal(differs, []string{"prod/b@vsphere", "prod/c@vsphere"}) ||
		other.Digest() == plan.Digest() {
		t.Errorf("these differ: %q", differs)
	}
	if differs := plan.Differs(policy.NewPlan([]policy.Cell{cell("prod", "d", "vsphere")}, nil)); len(differs) != 1 {
		t.Errorf("a target that was not planned differs: %q", differs)
	}
	unknown := policy.UnknownPlan(cells, "no commit")
	if differs := unknown.Differs(other); len(differs) > 0 || unknown.Digest() == plan.Digest() ||
		!strings.Contains(fmt.Sprint(unknown), "no commit") {
		t.Errorf("without digests these differ: %q", differs)
	}
}
