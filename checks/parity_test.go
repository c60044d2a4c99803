// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:30:41Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package checks

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
)

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
	mixed := comparison(false)
	mixed.Manifests[0].Scope, mixed.Pairs, mixed.Expected = nil, nil, nil
	for _, b := range []hybridcore.Platform{hybridcore.VSphere, hybridcore.Azure} {
		mixed.Unexpected = append(mixed.Unexpected, hybridcore.Difference{
			Category: "files", Key: hybridcore.WholeSection, A: hybridcore.Proxmox, B: b,
			InA:   "not compared: a fixed list of files (inventory format 2)",
			InB:   "not compared: whole folders (inventory format 3)",
			Cause: "the two inventories are of different versions of templates/scripts: build the older image again",
		})
	}
	tests := map[string]hybridcore.ParityReport{
		"parity-mixed":   {Env: "lab", Parity: []hybridcore.Parity{mixed}},
		"parity-many":    {Env: "lab", Parity: []hybridcore.Parity{many()}},
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
			goldentest.Compare(t, name+".txt", plain.String())
			if err := WriteParity(&colour, Style{Color: true}, report); err != nil {
				t.Fatal(err)
			}
			if got := stripColour(colour.String()); got != plain.String() {
				t.Errorf("colours change the text:\n%s", cmp.Diff(plain.String(), got))
			}
		})
	}
}

// many is a comparison with 300 files that nobody expects to differ.
func many() hybridcore.Parity {
	p := comparison(false)
	p.Pairs = append(p.Pairs, hybridcore.ParityCount{Category: "files", A: "proxmox", B: "vsphere", Unexpected: 300})
	for i := range 300 {
		d := hybridcore.Difference{
			Category: "files", Key: fmt.Sprintf("/etc/nginx/sites/%03d.conf", i), A: "proxmox", B: "vsphere",
			InA: "0644 root:root sha256:" + strings.Repeat("12", 32), Cause: "nothing in templates/ or configs/ names it",
		}
		switch {
		case i >= 200:
			d.Key = fmt.Sprintf("/opt/app/part%d/module.py", i)
		case i >= 190:
			d.Key, d.Package = fmt.Sprintf("/usr/sbin/nginx%d", i), "nginx"
			d.InB = "0755 root:root of nginx, changed, sha256:ab"
		case i >= 150:
			d.Key = fmt.Sprintf("/etc/alone%d/file", i)
		}
		p.Unexpected = append(p.Unexpected, d)
	}
	return p
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
