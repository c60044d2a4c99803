// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:02:00Z
// Spec: openspec/specs/provisioning/spec.md#requirement-the-residue-check
// Diagram: openspec/specs/provisioning/diagram.md#the-last-step

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// appendTask adds tasks behind those of a role.
func (b *bed) appendTask(t *testing.T, role, tasks string) {
	t.Helper()
	path := filepath.Join(b.dir, "templates/ansible/roles", role, "tasks/main.yml")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(old, tasks...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// testResidue lets a role leave the build account's password hash and a key: no image may come of it.
func testResidue(t *testing.T, b *bed) {
	t.Helper()
	b.appendTask(t, "configure", `
- name: Keep the build's password
  ansible.builtin.shell: grep ^{{ build_username }} /etc/shadow | cut -d{{ ':' }} -f2 > /etc/app.conf
  changed_when: true

- name: Let somebody in
  ansible.builtin.shell: mkdir -p /home/eve/.ssh && echo ssh-ed25519 AAAAC3NzaC1lZDI1NTE5eve > /home/eve/.ssh/authorized_keys
  changed_when: true
`)
	code, out := b.run(t, "build", "debian-12", "--platforms", "vsphere")
	if code != hybridcore.ExitFailed {
		t.Errorf("exit %d, want 1\n%s", code, out)
	}
	want(t, out, "debian-12@vsphere  failed", "the image is not clean: the build left 2 things",
		"left in the image: /etc/app.conf: a file that holds the build's password, its hash or its key (secret)",
		"left in the image: /home/eve/.ssh/authorized_keys: keys of an account that guest_users does not name "+
			"(authorized-key)",
		"the role to remove it: users")
	b.nothingOn(t)
	b.noSecret(t, out)
	for _, res := range b.record(t).Results {
		if res.Artifact != nil || res.Inventory != nil {
			t.Errorf("something was accepted: %+v", res)
		}
	}
}
