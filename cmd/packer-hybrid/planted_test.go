// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:10:00Z
// Spec: openspec/specs/parity/spec.md#requirement-planted-differences-are-found
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// archive makes a package in two versions, in an archive of the guest's own: the guest has no network.
const archive = `
- name: Make a package archive with two versions of one tool
  ansible.builtin.shell: |
    set -eu
    mkdir -p /var/lib/archive && cd /var/lib/archive
    for version in 1.0 1.1; do
      mkdir -p tool/DEBIAN
      printf 'Package: planted-tool\nVersion: %s\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: a tool\n' "$version" > tool/DEBIAN/control
      dpkg-deb --build --root-owner-group tool "planted-tool_${version}_all.deb"
      { cat tool/DEBIAN/control; printf 'Filename: ./planted-tool_%s_all.deb\nSize: %s\nSHA256: %s\n\n' "$version" \
        "$(stat -c %s "planted-tool_${version}_all.deb")" "$(sha256sum "planted-tool_${version}_all.deb" | cut -d' ' -f1)"; } >> Packages
    done
    rm -r tool
    echo 'deb [trusted=yes] file:/var/lib/archive ./' > /etc/apt/sources.list.d/archive.list
  args:
    creates: /etc/apt/sources.list.d/archive.list
`

// guarded are tasks that run on one platform only. The last one is reviewed.
const guarded = `
- name: Run a job on one platform
  ansible.builtin.copy:
    dest: /etc/cron.d/planted-job
    content: "0 3 * * * root /bin/true\n"
    mode: "0644"
  when: image_platform == "vsphere"

- name: Start a unit on one platform
  ansible.builtin.file:
    src: /lib/systemd/system/planted.service
    dest: /etc/systemd/system/multi-user.target.wants/planted.service
    state: link
    force: true
  when: image_platform == "vsphere"

- name: Make the folder of the site
  ansible.builtin.file:
    path: /etc/nginx/conf.d
    state: directory
    mode: "0755"

- name: Serve another site on each platform
  ansible.builtin.copy:
    dest: /etc/nginx/conf.d/planted-site.conf
    content: "server_name {{ image_platform }};\n"
    mode: "0644"

- name: Change what a package brought
  ansible.builtin.lineinfile:
    path: /etc/pam.d/su
    line: "session optional pam_planted.so"
  when: image_platform == "vsphere"

- name: Let everybody become root
  ansible.builtin.file:
    path: /usr/bin/dpkg-split
    mode: "4755"
  when: image_platform == "vsphere"

- name: Plant what has no module
  ansible.builtin.shell: |
    set -eu
    mkdir -p /usr/lib/systemd/system/ssh.service.d
    printf '[Service]\nNice=5\n' > /usr/lib/systemd/system/ssh.service.d/planted.conf
    ln -sfn /bin/cat /etc/alternatives/pager
    cp /bin/true /opt/planted-able
    echo data > /var/lib/planted-data
    python3 -c 'import os, struct; os.setxattr("/opt/planted-able", "security.capability",
      struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0))'
  when: image_platform == "vsphere"

- name: Set a profile on one platform, as reviewed
  ansible.builtin.copy:
    dest: /etc/profile.d/planted-allowed.sh
    content: "umask 027\n"
    mode: "0644"
  when: image_platform == "vsphere"
`

// reviewed allows the last task's file, and something that nobody has any more.
const reviewed = `
allow "files" "/etc/profile.d/planted-allowed.sh" {
  platforms = ["vsphere"]
  reason    = "reviewed"
  owner     = "platform team"
}

allow "packages" "retired-agent" {
  platforms = ["vsphere"]
  reason    = "an agent of the past"
  owner     = "platform team"
}
`

// compared is what the image has compared besides.
const compared = `guest_inventory = [
  { how = "compare", paths = ["/var/lib/planted-data"], reason = "the image's own data" },
]
`

// edit changes a file of the project.
func (b *bed) edit(t *testing.T, name string, change func(string) string) {
	t.Helper()
	path := filepath.Join(b.dir, name)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := change(string(old))
	if text == string(old) {
		t.Fatalf("%s is not changed", name)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func behind(text string) func(string) string { return func(old string) string { return old + text } }

// plantDifferences makes the recipe of a project differ between vSphere and Proxmox VE.
func (b *bed) plantDifferences(t *testing.T) {
	t.Helper()
	b.edit(t, "templates/ansible/roles/base/tasks/main.yml", func(old string) string {
		return strings.Replace(old, "---\n", "---"+archive, 1)
	})
	b.edit(t, "templates/ansible/roles/configure/tasks/main.yml", behind(guarded))
	b.edit(t, "configs/lab/vsphere.pkrvars.hcl", behind("\nguest_packages = [\"planted-tool=1.0\"]\n"))
	b.edit(t, "configs/lab/proxmox.pkrvars.hcl", behind("\nguest_packages = [\"planted-tool=1.1\"]\n"))
	b.edit(t, "configs/lab/common.pkrvars.hcl", behind(compared))
	b.edit(t, "templates/parity.hcl", behind(reviewed))
}

// lineOf finds a text in a file of the project: FILE:LINE.
func (b *bed) lineOf(t *testing.T, name, text string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(content), "\n") {
		if strings.Contains(line, text) {
			return name + ":" + itoa(i+1)
		}
	}
	t.Fatalf("%s does not hold %q", name, text)
	return ""
}

// testPlanted builds one image for two platforms with differences planted in its recipe. One build serves all:
// what is unexpected, what is reviewed, what is stale, and what another policy makes of it.
func testPlanted(t *testing.T, b *bed) {
	t.Helper()
	b.plantDifferences(t)
	code, out := b.run(t, "build", "debian-12", "--platforms", "vsphere,proxmox")
	if code != hybridcore.ExitBlocked {
		t.Fatalf("exit %d, want 3\n%s", code, out)
	}
	rec := b.record(t)
	if len(rec.Parity) != 1 {
		t.Fatalf("the record compares %d images\n%s", len(rec.Parity), out)
	}
	tasks := "templates/ansible/roles/configure/tasks/main.yml"
	type difference struct{ Key, Proxmox, VSphere, Cause string }
	found := map[string]difference{}
	for _, d := range rec.Parity[0].Unexpected {
		in := map[hybridcore.Platform]string{d.A: d.InA, d.B: d.InB}
		found[d.Category+" "+d.Key] = difference{d.Key, first(in[hybridcore.Proxmox]), first(in[hybridcore.VSphere]), d.Cause}
	}
	expected := map[string]difference{
		"packages planted-tool": {
			"planted-tool", "1.1", "1.0",
			b.lineOf(t, "configs/lab/proxmox.pkrvars.hcl", "planted-tool") + ", which only proxmox has",
		},
		"files /etc/cron.d/planted-job": {
			"/etc/cron.d/planted-job", "", "0644",
			b.lineOf(t, tasks, "planted-job") + `, in the task "Run a job on one platform", which is guarded by platform`,
		},
		"units planted.service": {
			"planted.service", "", "enabled",
			b.lineOf(t, tasks, "planted.service") + `, in the task "Start a unit on one platform", which is guarded by platform`,
		},
		"files /etc/systemd/system/multi-user.target.wants/planted.service": {
			"/etc/systemd/system/multi-user.target.wants/planted.service", "", "root:root",
			b.lineOf(t, tasks, "wants/planted.service") +
				`, in the task "Start a unit on one platform", which is guarded by platform`,
		},
		"files /etc/nginx/conf.d/planted-site.conf": {
			"/etc/nginx/conf.d/planted-site.conf", "0644", "0644",
			b.lineOf(t, tasks, "planted-site.conf") +
				" names it; its value depends on the platform there, or on the package archive",
		},
		"files /etc/pam.d/su": {
			"/etc/pam.d/su", "0644", "0644",
			b.lineOf(t, tasks, "/etc/pam.d/su") + `, in the task "Change what a package brought", which is guarded by platform`,
		},
		"files /usr/bin/dpkg-split": {
			"/usr/bin/dpkg-split", "", "4755",
			b.lineOf(t, tasks, "dpkg-split") + `, in the task "Let everybody become root", which is guarded by platform`,
		},
		"files /usr/lib/systemd/system/ssh.service.d/planted.conf": {
			"/usr/lib/systemd/system/ssh.service.d/planted.conf", "", "0644",
			b.lineOf(t, tasks, "ssh.service.d/planted.conf") +
				`, in the task "Plant what has no module", which is guarded by platform`,
		},
		"files /etc/alternatives/pager": {
			"/etc/alternatives/pager", "root:root", "root:root",
			b.lineOf(t, tasks, "alternatives/pager") + `, in the task "Plant what has no module", which is guarded by platform`,
		},
		"files /var/lib/planted-data": {
			"/var/lib/planted-data", "", "0644",
			b.lineOf(t, tasks, "planted-data") + `, in the task "Plant what has no module", which is guarded by platform`,
		},
		"files /opt/planted-able": {
			"/opt/planted-able", "", "0755",
			b.lineOf(t, tasks, "cp /bin/true") + `, in the task "Plant what has no module", which is guarded by platform`,
		},
	}
	if diff := cmp.Diff(expected, found); diff != "" {
		t.Errorf("unexpected differences (-want +got):\n%s\n%s", diff, out)
	}
	want(t, out, "blocked: 11 unexpected differences", "unexpected packages planted-tool",
		"0644 root:root of util-linux, changed, sha256:", "0644 root:root of util-linux unchanged",
		"4755 root:root of dpkg unchanged", "capabilities cap_net_raw=ep sha256:", "root:root link /bin/cat",
		`stale: no difference of debian-12 needs the entry packages "retired-agent"`,
		b.lineOf(t, "templates/parity.hcl", "retired-agent"))
	for _, e := range rec.Parity[0].Findings {
		if strings.Contains(e.Subject, "planted-allowed") {
			t.Errorf("the entry that is needed is said to be stale: %v", e)
		}
	}
	b.reviewPlanted(t)
}

// reviewPlanted checkers the same two images again by other rules.
func (b *bed) reviewPlanted(t *testing.T) {
	t.Helper()
	b.edit(t, "templates/parity.hcl", behind("\noverride \"warn\" {\n  images = [\"debian-12\"]\n  reason = \"under "+
		"work\"\n  owner  = \"platform team\"\n}\n"))
	code, out := b.run(t, "parity", "debian-12")
	if code != hybridcore.ExitOK {
		t.Errorf("policy warn: exit %d", code)
	}
	want(t, out, "11 unexpected differences; the policy for them is warn")

	b.edit(t, "templates/parity.hcl", func(old string) string {
		old, _, _ = strings.Cut(old, "\noverride \"warn\"")
		for _, key := range []string{
			`"packages" "planted-tool"`, `"files" "*planted*"`, `"units" "planted.service"`, `"files" "/etc/pam.d/su"`,
			`"files" "/usr/bin/dpkg-split"`, `"files" "/etc/alternatives/pager"`,
		} {
			old += "\nallow " + key + " {\n  platforms = [\"vsphere\", \"proxmox\"]\n  reason    = \"reviewed\"\n  owner     " +
				"= \"platform team\"\n}\n"
		}
		return old
	})
	code, out = b.run(t, "parity", "debian-12")
	if code != hybridcore.ExitOK {
		t.Errorf("all reviewed: exit %d", code)
	}
	want(t, out, "identical in what is compared, but for", `stale: no difference of debian-12 needs the entry packages "retired-agent"`)
}

// first is the first word of a value: a version, a mode, a state.
func first(value string) string {
	word, _, _ := strings.Cut(value, " ")
	return word
}
