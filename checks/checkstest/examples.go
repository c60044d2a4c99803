// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:28:00Z
// Spec: openspec/specs/reports/spec.md#requirement-progress-of-a-build
// Diagram: openspec/specs/reports/diagram.md#values-to-text

// Package checkstest has values as the tests of every rendering need them.
package checkstest

import (
	"fmt"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// RunID is that of the examples.
const RunID = "20261122t224501-1a2b3c4d"

// At is when their run began.
func At() time.Time { return time.Date(2026, 11, 22, 22, 45, 1, 0, time.UTC) }

// Record is a run with one target built, one failed and one unchanged.
func Record() hybridcore.Record {
	return hybridcore.Record{
		FormatVersion: 1, RunID: RunID, At: At(), Duration: 95 * time.Second, Status: hybridcore.Failed,
		Request: hybridcore.Request{
			Action: hybridcore.ActionBuild, Env: "lab", Images: []string{"debian-12"},
			Origin: hybridcore.Origin{Kind: "cli"},
		},
		Versions: map[string]string{
			"plugin:github.com/hashicorp/proxmox": "1.2.3+lab", "packer": "1.15.0",
			"plugin:github.com/hashicorp/vsphere": "1.4.2",
		},
		Results: []hybridcore.Result{
			{
				Target: "debian-12@vsphere", Platform: hybridcore.VSphere, Status: hybridcore.Built,
				Duration: 12300 * time.Millisecond, Log: "logs/" + RunID + "/debian-12@vsphere.log",
				Artifact: &hybridcore.Artifact{ID: "debian-12-" + RunID, Builder: "jetbrains.vsphere", URIs: []hybridcore.URI{
					{Kind: "vm-template", Name: "debian-12-" + RunID, ID: "vm-61"},
					{Kind: "content-library-item", Name: "debian-12-" + RunID, ID: "7d3c8a52"},
				}},
				Digest:    "0123456789abcdef0123",
				Inputs:    map[string]string{"file:a": "1", "file:b": "2", "var:c": "3", "packer": "1.15.0"},
				Inventory: &hybridcore.Inventory{File: "records/" + RunID + "/debian-12@vsphere.inventory.json", Packages: 214},
				Notes:     []string{"ansible: default : ok=31 changed=24"},
				Steps:     []hybridcore.Step{{Name: "Creating virtual machine...", At: At(), Duration: 300 * time.Millisecond}},
			},
			{
				Target: "ubuntu-24.04@vsphere", Platform: hybridcore.VSphere, Status: hybridcore.Failed, Duration: 91 * time.Second,
				Failure: &hybridcore.Failure{
					Step: "Provisioning with Ansible...", File: "ansible/roles/base/tasks/debian.yml", Message: "exit status 2",
					Tail: []string{"TASK [base : install]", "fatal: [default]: FAILED!"},
				},
			},
			{Target: "debian-11@proxmox", Platform: hybridcore.Proxmox, Status: hybridcore.UnchangedDone, Notes: []string{
				"stand-in: github.com/hashicorp/proxmox 1.2.3+lab, of the lab, not the real plugin",
				"unchanged: all 40 inputs equal run x of 2026-11-01 10:00:00 UTC",
			}},
		},
	}
}

// Plan is one with causes, unchanged targets and a finding.
func Plan() hybridcore.Plan {
	target := func(image string) hybridcore.Target {
		return hybridcore.Target{
			Image: hybridcore.Image{Name: image}, Platform: hybridcore.VSphere, Env: "lab",
			Source: "vsphere-iso.linux",
		}
	}
	var many []hybridcore.Reason
	for range 14 {
		many = append(many, hybridcore.Reason{
			Kind: "file", Text: "file ansible/linux.yml changed",
			File: "templates/ansible/linux.yml",
		})
	}
	return hybridcore.Plan{
		Request: hybridcore.Request{Action: hybridcore.ActionPlan, Env: "lab"},
		Targets: []hybridcore.PlannedTarget{
			{Target: target("debian-12"), Decision: hybridcore.Build, Reasons: []hybridcore.Reason{
				{Kind: "variable", Text: "variable vm_cpu_count: 2 → 4", File: "configs/lab/common.pkrvars.hcl", Line: 7},
				{Kind: "version", Text: "version packer: 1.14.0 → 1.15.0"},
			}},
			{Target: target("debian-13"), Decision: hybridcore.Build, Reasons: many},
			{
				Target: target("ubuntu-24.04"), Decision: hybridcore.Unchanged,
				Reasons: []hybridcore.Reason{{Kind: "unchanged", Subject: "x", Text: "all 40 inputs equal run x"}},
			},
		},
		Findings: []hybridcore.Finding{{
			Kind: "schema", Message: `undeclared variable "vm_cpus"`, Hint: `did you mean "vm_cpu_count"?`,
			Source: "vm_cpus = 2",
			File:   "configs/lab/common.pkrvars.hcl", Line: 9, Column: 1, Severity: hybridcore.Warning,
		}},
	}
}

// Fleet is a plan of 45 targets, of which the first some are to be built, and
// the record of its run.
func Fleet(pending int) (hybridcore.Plan, hybridcore.Record) {
	plan := hybridcore.Plan{
		Request: hybridcore.Request{ID: RunID, Action: hybridcore.ActionBuild, Env: "lab"},
		Commit:  strings.Repeat("ab", 20),
	}
	rec := hybridcore.Record{
		RunID: RunID, Request: plan.Request, Commit: plan.Commit, At: At(), Duration: 12 * time.Minute,
	}
	for i := range 45 {
		image, platform := fmt.Sprintf("image-%02d", i/3), []hybridcore.Platform{
			hybridcore.Proxmox, hybridcore.VSphere,
			hybridcore.Azure,
		}[i%3]
		one := hybridcore.PlannedTarget{
			Target:   hybridcore.Target{Image: hybridcore.Image{Name: image}, Platform: platform, Env: "lab", Source: "x.linux"},
			Decision: hybridcore.Unchanged,
			Reasons: []hybridcore.Reason{{
				Kind: "unchanged", Subject: "20261101t000000-00000000",
				Text: "all 40 inputs equal run 20261101t000000-00000000",
			}},
		}
		res := hybridcore.Result{
			Target: one.Target.Name(), Image: image, Platform: platform,
			Status: hybridcore.UnchangedDone,
		}
		if i < pending {
			one.Decision = hybridcore.Build
			one.Reasons = []hybridcore.Reason{{
				Kind: "variable", Subject: "vm_cpu_count", Was: "2", Now: "4", Layer: "configs/lab",
				File: "configs/lab/common.pkrvars.hcl", Line: 7, Text: "variable vm_cpu_count: 2 → 4",
			}}
			res.Status, res.Started, res.Duration = hybridcore.Built, At().Add(time.Duration(i)*time.Second), 3*time.Minute
			res.Artifact = &hybridcore.Artifact{
				ID:   image + "-" + RunID,
				URIs: []hybridcore.URI{{Kind: "vm-template", Name: image + "-" + RunID, ID: "vm-1"}},
			}
			res.Inventory = &hybridcore.Inventory{Packages: 214}
			res.Log = "logs/" + RunID + "/" + res.Target + ".log"
		}
		plan.Targets, rec.Results = append(plan.Targets, one), append(rec.Results, res)
	}
	rec.Status = hybridcore.Overall(rec.Results)
	return plan, rec
}

// Findings are as many, each a hundredth an error.
func Findings(n int) []hybridcore.Finding {
	all := make([]hybridcore.Finding, n)
	for i := range all {
		all[i] = hybridcore.Finding{
			Kind: "schema", Message: fmt.Sprintf("undeclared variable %q", fmt.Sprint("v", i)), Hint: "declare it",
			File: "configs/lab/common.pkrvars.hcl", Line: i + 1,
			Severity: hybridcore.Warning,
		}
		if i%100 == 99 {
			all[i].Severity = hybridcore.Error
		}
	}
	return all
}

func manifest(platform hybridcore.Platform, packages int) hybridcore.Manifest {
	return hybridcore.Manifest{
		Platform: platform, Run: RunID, SHA256: strings.Repeat("ab", 32), Packages: packages, Files: 4 * packages,
		Scope: &hybridcore.Scope{
			Folders:      []string{"/boot/grub/*.cfg", "/etc", "/opt", "/srv", "/usr/local", "/var/spool/cron"},
			PackageFiles: 40 * packages, Own: 14, LeftOut: 61, LeftOutRules: 20, NotEntered: []string{"/dev", "/proc", "/sys"},
		},
	}
}

// Comparison is one of three platforms, with differences that nobody expects or without.
func Comparison(unexpected bool) hybridcore.Parity {
	p := hybridcore.Parity{
		Image: "debian-12", Policy: hybridcore.ParityBlock,
		Manifests: []hybridcore.Manifest{
			manifest(hybridcore.Proxmox, 206), manifest(hybridcore.VSphere, 215), manifest(hybridcore.Azure, 204),
		},
		Pairs: []hybridcore.ParityCount{
			{Category: "packages", A: "proxmox", B: "vsphere", Expected: 15},
			{Category: "packages", A: "proxmox", B: "azure", Expected: 5},
		},
		Expected: []hybridcore.Expected{{
			Entry: "templates/parity.hcl:12", Reason: "the agent", Owner: "team",
			Keys: []string{"packages qemu-guest-agent", "packages liburing2"},
		}},
	}
	if !unexpected {
		return p
	}
	p.Manifests[2].SHA256 = ""
	p.Manifests[1].SHA256 = strings.Repeat("cd", 32)
	p.Pairs[0].Unexpected = 1
	p.Pairs = append(p.Pairs, hybridcore.ParityCount{Category: "packages", A: "vsphere", B: "azure", Unexpected: 1},
		hybridcore.ParityCount{Category: "files", A: "vsphere", B: "azure", Unexpected: 1})
	p.Unexpected = []hybridcore.Difference{
		{
			Category: "packages", Key: "curl", A: "proxmox", B: "vsphere", InA: "7.74.0 (amd64)", InB: "7.88.1 (amd64)",
			Cause: "configs/lab/vsphere.pkrvars.hcl:3, which only vsphere has",
		},
		{
			Category: "packages", Key: "curl", A: "vsphere", B: "azure", InA: "7.88.1 (amd64)", InB: "7.74.0 (amd64)",
			Cause: "configs/lab/vsphere.pkrvars.hcl:3, which only vsphere has",
		},
		{
			Category: "files", Key: "/etc/motd.d/x", A: "vsphere", B: "azure",
			InA:   "0644 root:root sha256:" + strings.Repeat("12", 32),
			Cause: "templates/ansible/roles/base/tasks/debian.yml:7, in the task \"Greet\", which is guarded by platform",
		},
	}
	p.Unlisted = 4
	p.Findings = []hybridcore.Finding{{
		Kind: "parity", File: "templates/parity.hcl", Line: 9, Severity: hybridcore.Warning,
		Message: `stale: no difference of debian-12 needs the entry packages "telnetd"`,
		Hint:    "remove it, or name the images that need it",
	}}
	return p
}

// Hostile are texts that a terminal, a browser or a CI system would obey.
var Hostile = []string{
	"`|</details>@everyone", "```\n~~~\n", "<img src=x onerror=alert(1)>", "<!-- packer-hybrid:state -->",
	"![x](https://evil.example/x.png)",
	"a\n/ok-to-test\n@dependabot merge\natlantis apply", "Fixes #1 GH-1", strings.Repeat("a", 40), "\x1b[31mred\x1b]0;t\a",
	"a\u202eb\u2066c", "\u0085::error::x",
	"##[error]x", "|", "\\|", "", " ", "``", "`a", "@a", "a@b", "$`x`$", "e\u0301\u0301\u0301", "😀😀😀", "a&#64;b", "<code>",
	"</code>`", "\xff\xfe",
}
