// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:36:30Z
// Spec: openspec/specs/waivers/spec.md#requirement-one-form
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
)

// TestChangeWaivesItself has a change bring a secret together with its waiver, of this repository and of a fork.
func TestChangeWaivesItself(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "")
	d.git("checkout", "-q", "change")
	block := strings.ReplaceAll(waivers.Propose(waivers.Leak, "x.env", "hunter2", ""), waivers.Ask, "2027-01-31")
	for name, text := range map[string]string{"x.env": "DB_PASSWORD=hunter2\n", waivers.FileName: block + "\n"} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.git("add", "x.env", waivers.FileName)
	d.git("commit", "-q", "-m", "a secret and its waiver")
	d.patch = d.commit("change")
	for name, repo := range map[string]int{"of this repository": 5, "of a fork": 6} {
		code, log, _ := d.step(t, "pull_request", d.changeOf(repo), nil, "--hold")
		if code != 3 || !strings.Contains(log, "x.env") || !strings.Contains(log, "counts once it is reviewed") ||
			!strings.Contains(log, d.main[:12]) || strings.Contains(log, "hunter2") {
			t.Errorf("%s: exit code %d\n%s", name, code, log)
		}
	}
}
