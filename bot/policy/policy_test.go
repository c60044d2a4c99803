// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:02:49Z
// Spec: openspec/specs/bot/spec.md#requirement-policy
// Diagram: openspec/specs/bot/diagram.md#a-decision

package policy_test

import (
	"testing"
	"testing/fstest"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
)

const project = `project { name = "x" }
environment "lab" {}
environment "prod" { prod = true }
bot {
  teams    = ["T0001"]
  channels = ["C0001"]
  rate     = 3
  role "developer" {
    users  = ["U0001", "U0004"]
    groups = ["S0001"]
    allow {
      verbs        = ["build", "plan"]
      environments = ["lab"]
      images       = ["debian-12"]
    }
    allow {
      verbs        = ["plan", "runs"]
      environments = ["*"]
      platforms    = ["vsphere"]
    }
  }
  role "operator" {
    users = ["U0002", "U0003"]
    allow {
      verbs        = ["*"]
      environments = ["*"]
    }
  }
  approval {
    verbs        = ["build"]
    environments = ["prod"]
    roles        = ["operator"]
    within       = "10m"
  }
  person "U0002" { github = 7 }
  person "U0003" { github = 8 }
  person "U0004" { github = 7 }
}
`

func bot(t *testing.T) config.Bot {
	t.Helper()
	p, err := config.LoadFS(fstest.MapFS{config.FileName: {Data: []byte(project)}})
	if err != nil {
		t.Fatal(err)
	}
	return p.Bot
}

func person(user string, groups ...string) policy.Person {
	return policy.Person{Team: "T0001", Channel: "C0001", User: user, Groups: groups}
}

func cell(env, image string, platform hybridcore.Platform) policy.Cell {
	return policy.Cell{Env: env, Image: image, Platform: platform}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	lab, ubuntu, prod := cell("lab", "debian-12", "proxmox"), cell("lab", "ubuntu-24.04", "proxmox"), cell("prod",
		"debian-12", "vsphere")
	elsewhere, strange := person("U0001"), person("U0001")
	elsewhere.Channel, strange.Team = "C0002", "T0002"
	for name, test := range map[string]struct {
		s     policy.Snapshot
		allow bool
		rule  string
		need  bool
	}{
		"unknown team": {
			policy.Snapshot{Person: strange, Verb: "plan", Cells: []policy.Cell{lab}},
			false,
			"bot teams (packer-hybrid.hcl:4)", false,
		},
		"unknown channel": {
			policy.Snapshot{Person: elsewhere, Verb: "plan", Cells: []policy.Cell{lab}},
			false,
			"bot channels (packer-hybrid.hcl:4)", false,
		},
		"no role": {
			policy.Snapshot{Person: person("U0009"), Verb: "plan", Cells: []policy.Cell{lab}},
			false,
			"bot, default (packer-hybrid.hcl:4)", false,
		},
		"another group": {
			policy.Snapshot{Person: person("U0009", "S0002"), Verb: "plan", Cells: []policy.Cell{lab}},
			false, "bot, default (packer-hybrid.hcl:4)", false,
		},
		"by group": {
			policy.Snapshot{Person: person("U0009", "S0001"), Verb: "plan", Cells: []policy.Cell{lab}},
			true, "role developer, allow (packer-hybrid.hcl:11)", false,
		},
		"by user": {
			policy.Snapshot{Person: person("U0001"), Verb: "build", Cells: []policy.Cell{lab}},
			true,
			"role developer, allow (packer-hybrid.hcl:11)", false,
		},
		"another image": {
			policy.Snapshot{Person: person("U0001"), Verb: "build", Cells: []policy.Cell{lab, ubuntu}},
			false, "bot, default (packer-hybrid.hcl:4)", false,
		},
		"environment outside": {
			policy.Snapshot{Person: person("U0001"), Verb: "build", Cells: []policy.Cell{prod}},
			false,
			"bot, default (packer-hybrid.hcl:4)", false,
		},
		"the second rule": {
			policy.Snapshot{Person: person("U0001"), Verb: "plan", Cells: []policy.Cell{prod}},
			true,
			"role developer, allow (packer-hybrid.hcl:16)", false,
		},
		"two rules together": {
			policy.Snapshot{Person: person("U0001"), Verb: "plan", Cells: []policy.Cell{lab, prod}},
			true, "role developer, allow (packer-hybrid.hcl:11)", false,
		},
		"another verb": {
			policy.Snapshot{Person: person("U0001"), Verb: "reap", Cells: []policy.Cell{lab}},
			false,
			"bot, default (packer-hybrid.hcl:4)", false,
		},
		"too many": {policy.Snapshot{
			Person: person("U0001"), Verb: "build", Cells: []policy.Cell{lab},
			Recent: 3,
		}, false, "bot rate (packer-hybrid.hcl:4)", false},
		"the last in the minute": {policy.Snapshot{
			Person: person("U0001"), Verb: "build", Cells: []policy.Cell{lab},
			Recent: 2,
		}, true, "role developer, allow (packer-hybrid.hcl:11)", false},
		"needs approval": {
			policy.Snapshot{Person: person("U0002"), Verb: "build", Cells: []policy.Cell{lab, prod}},
			true,
			"role operator, allow (packer-hybrid.hcl:24)", true,
		},
		"needs none": {
			policy.Snapshot{Person: person("U0002"), Verb: "reap", Cells: []policy.Cell{prod}},
			true,
			"role operator, allow (packer-hybrid.hcl:24)", false,
		},
		"no target": {
			policy.Snapshot{Person: person("U0001"), Verb: "runs"},
			true,
			"role developer, allow (packer-hybrid.hcl:16)", false,
		},
		"help": {
			policy.Snapshot{Person: person("U0001"), Verb: "help"},
			true,
			"role developer (packer-hybrid.hcl:8)", false,
		},
		"help of a stranger": {
			policy.Snapshot{Person: person("U0009"), Verb: "help"},
			false,
			"bot, default (packer-hybrid.hcl:4)", false,
		},
		"an empty user": {
			policy.Snapshot{Person: person(""), Verb: "help"},
			false, "bot, default (packer-hybrid.hcl:4)",
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.s.Bot = bot(t)
			d := policy.Decide(test.s)
			if d.Allow != test.allow || d.Rule != test.rule || d.Why == "" || (len(d.Need) > 0) != test.need {
				t.Errorf("got %+v", d)
			}
		})
	}
	if d := policy.Decide(policy.Snapshot{Person: person("U0001"), Verb: "plan"}); d.Allow {
		t.Errorf("without a policy: %+v", d)
	}
}
