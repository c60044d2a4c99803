// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:30:41Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package checks

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func comparison(unexpected bool) hybridcore.Parity {
	p := hybridcore.Parity{
		Image: "debian-12", Policy: hybridcore.ParityBlock,
		Manifests: []hybridcore.Manifest{
			{Platform: hybridcore.Proxmox, Run: runID, SHA256: strings.Repeat("ab", 32), Packages: 206, Files: 80},
			{Platform: hybridcore.VSphere, Run: runID, SHA256: strings.Repeat("ab", 32), Packages: 215, Files: 81},
			{Platform: hybridcore.Azure, Run: runID, SHA256: strings.Repeat("ab", 32), Packages: 204, Files: 80},
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

func TestParityGolden(t *testing.T) {
	upgrade := []hybridcore.Change{
		{Category: "packages", Key: "openssl", Was: "3.0.13 (amd64)", Now: "3.0.15 (amd64)"},
		{Category: "units", Key: "ssh.service", Was: "enabled"},
		{Category: "users", Key: "ops", Now: "uid=1000 gid=1000 groups=sudo home=/home/ops shell=/bin/bash password=locked"},
	}
	changes := func(platform hybridcore.Platform, list []hybridcore.Change) hybridcore.Changes {
		c := hybridcore.Changes{
			Image: "debian-12", Platform: platform, From: "20261101t000000-00000000", To: runID,
			Changes: list,
		}
		if len(list) > 0 {
			c.Counts = []hybridcore.ChangeCount{{Category: "packages", Changed: 1}}
		}
		return c
	}
	warned := comparison(true)
	warned.Policy = hybridcore.ParityWarn
	warned.Unlisted = 0
	alone := comparison(false)
	alone.Manifests, alone.Pairs, alone.Expected = alone.Manifests[1:2], nil, nil
	broken := hybridcore.Parity{Image: "debian-12", Policy: hybridcore.ParityBlock, Findings: []hybridcore.Finding{{
		Kind: "parity", Message: "the images of debian-12 cannot be compared: no inventory", Severity: hybridcore.Error,
		Blocking: true,
	}}}
	tests := map[string]hybridcore.ParityReport{
		"parity-broken":  {Env: "lab", Parity: []hybridcore.Parity{broken}},
		"parity-equal":   {Env: "lab", Parity: []hybridcore.Parity{comparison(false)}},
		"parity-blocked": {Env: "lab", Parity: []hybridcore.Parity{comparison(true)}},
		"parity-warned":  {Env: "lab", Parity: []hybridcore.Parity{warned}},
		"parity-changes": {
			Env: "lab", Parity: []hybridcore.Parity{alone},
			Notes:   []string{"debian-12 is built for VMware vSphere only: there is no other platform to compare with"},
			Changes: []hybridcore.Changes{changes("proxmox", upgrade[:1]), changes("vsphere", upgrade), changes("azure", nil)},
		},
	}
	for name, report := range tests {
		t.Run(name, func(t *testing.T) {
			var plain, colour bytes.Buffer
			if err := WriteParity(&plain, Style{}, report); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", plain.Bytes())
			if err := WriteParity(&colour, Style{Color: true}, report); err != nil {
				t.Fatal(err)
			}
			if got := stripColour(colour.String()); got != plain.String() {
				t.Errorf("colours change the text:\n%s", cmp.Diff(plain.String(), got))
			}
		})
	}
}

func TestRecordShowsParity(t *testing.T) {
	r := record()
	r.Parity = []hybridcore.Parity{comparison(true)}
	var out bytes.Buffer
	if err := WriteRecord(&out, Style{}, r, ""); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "parity of debian-12") || !strings.Contains(out.String(), "blocked: ") {
		t.Errorf("the build report lacks the comparison:\n%s", out.String())
	}
}
