// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:58:00Z
// Spec: openspec/specs/provisioning/spec.md#requirement-the-residue-check
// Diagram: openspec/specs/provisioning/diagram.md#the-last-step

package guest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// buildKey signs in as the build account of these tests; its private half was never kept.
const buildKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx0RGN1jVXBkV9CJrPJ8mRkT1dRA0bq0n6Vb3B3b0sQ build"

const scripts = "../../templates/"

// put writes a file of the templates into the guest, as root.
func (m *machine) put(from, to, mode string) {
	m.t.Helper()
	content, err := os.ReadFile(scripts + from)
	if err != nil {
		m.t.Fatal(err)
	}
	m.run("echo " + base64.StdEncoding.EncodeToString(content) + " | base64 -d | sudo tee " + to +
		" >/dev/null; sudo chmod " + mode + " " + to)
}

// left is one finding of the residue check.
type left struct{ Kind, Path, What, Role, Severity string }

// check runs the residue check as a build does and returns what it found, its own count and its exit code.
func (m *machine) check(options string) (found []left, count, code int, out string) {
	m.t.Helper()
	m.put("scripts/linux/residue.py", "/dev/shm/residue.py", "644")
	s, err := m.client().NewSession()
	if err != nil {
		m.t.Fatal(err)
	}
	s.Stdin = strings.NewReader(testPassword)
	text, err := s.CombinedOutput("sudo -n /usr/bin/python3 -I /dev/shm/residue.py --build-user " + testUser + " " +
		options)
	if exit, ok := errors.AsType[*ssh.ExitError](err); ok {
		code = exit.ExitStatus()
	} else if err != nil {
		m.t.Fatal(err)
	}
	count = -1
	for line := range strings.Lines(string(text)) {
		document, ok := strings.CutPrefix(line, "residue: ")
		if !ok {
			continue
		}
		var one struct {
			left
			Left *int
		}
		if err := json.Unmarshal([]byte(document), &one); err != nil {
			m.t.Fatalf("%s: %v", line, err)
		}
		if one.Left != nil {
			count = *one.Left
			continue
		}
		found = append(found, one.left)
	}
	return found, count, code, string(text)
}

// plants are what a build may leave: a command that leaves it, and the finding that names it.
var plants = []struct{ command, kind, path, role string }{
	{`true`, "build-account", "/etc/passwd", "clean"},
	{`true`, "build-account", "/home/builder", "clean"},
	{`true`, "build-account", "/etc/sudoers.d/builder", "clean"},
	{`true`, "build-password", "/etc/shadow (builder)", "users"},
	{
		`H=$(grep ^builder: /etc/shadow | cut -d: -f2); usermod -p "$H" root`, "build-password", "/etc/shadow (root)",
		"users",
	},
	{`useradd -m -p '' guest`, "password", "/etc/shadow (guest)", "users"},
	{`cp /etc/shadow /var/backups/shadow.bak`, "build-account", "/var/backups/shadow.bak", "clean"},
	{
		`mkdir -p /home/guest/.ssh; echo '` + buildKey + `' > /home/guest/.ssh/authorized_keys`, "build-key",
		"/home/guest/.ssh/authorized_keys", "users",
	},
	{
		`mkdir -p /root/.ssh; echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5other' > /root/.ssh/authorized_keys2`, "authorized-key",
		"/root/.ssh/authorized_keys2", "users",
	},
	{`true`, "host-key", "/etc/ssh/ssh_host_ed25519_key", "clean"},
	{`true`, "machine-id", "/etc/machine-id", "clean"},
	{
		`mkdir -p /var/lib/dbus; rm -f /var/lib/dbus/machine-id; echo 0123 > /var/lib/dbus/machine-id`, "machine-id",
		"/var/lib/dbus/machine-id", "clean",
	},
	{`mkdir -p /var/lib/cloud/instances/i-1`, "first-boot", "/var/lib/cloud/instances/i-1", "clean"},
	{`mkdir -p /var/lib/cloud/seed/nocloud`, "seed", "/var/lib/cloud/seed/nocloud", "clean"},
	{`echo d-i > /root/preseed.cfg`, "seed", "/root/preseed.cfg", "clean"},
	{`echo rootpw > /root/anaconda-ks.cfg`, "seed", "/root/anaconda-ks.cfg", "clean"},
	{
		`mkdir -p /etc/cloud/cloud.cfg.d; echo x > /etc/cloud/cloud.cfg.d/99-installer.cfg`, "seed",
		"/etc/cloud/cloud.cfg.d/99-installer.cfg", "clean",
	},
	{`mkdir -p /var/log/installer; echo x > /var/log/installer/syslog`, "installer-log", "/var/log/installer", "clean"},
	{`echo ls > /root/.bash_history`, "history", "/root/.bash_history", "clean"},
	{`mkdir -p /home/guest; echo ls > /home/guest/.python_history`, "history", "/home/guest/.python_history", "clean"},
	{`echo 'sshd: accepted' > /var/log/auth.log`, "log", "/var/log/auth.log", "clean"},
	{
		`mkdir -p /var/log/journal/1; echo x > /var/log/journal/1/system.journal`, "log", "/var/log/journal/1/system.journal",
		"clean",
	},
	{`echo x > /var/tmp/packer-shell123`, "temporary", "/var/tmp/packer-shell123", "clean"},
	{`mkdir -p /var/tmp/ansible-tmp-1`, "temporary", "/var/tmp/ansible-tmp-1", "clean"},
	{`mkdir -p /root/.ansible/tmp`, "temporary", "/root/.ansible", "clean"},
	{
		`mkdir -p /var/lib/dhcp; echo lease > /var/lib/dhcp/dhclient.leases`, "lease", "/var/lib/dhcp/dhclient.leases",
		"clean",
	},
	{`touch /var/lib/apt/lists/deb.example.org_dists_x_InRelease`, "cache", "", "clean"},
	{
		`mkdir -p /etc/udev/rules.d; echo x > /etc/udev/rules.d/70-persistent-net.rules`, "network",
		"/etc/udev/rules.d/70-persistent-net.rules", "clean",
	},
	{`head -c 512 /dev/urandom > /var/lib/systemd/random-seed`, "random-seed", "/var/lib/systemd/random-seed", "clean"},
	{`mkdir -p /var/lib/waagent; echo x > /var/lib/waagent/ovf-env.xml`, "agent", "/var/lib/waagent/ovf-env.xml", "clean"},
	{`true`, "last-step", "/usr/local/sbin/packer-hybrid-finish", "clean"},
	{`echo "password = $SECRET" > /etc/app.conf`, "secret", "/etc/app.conf", "clean"},
	{`mkdir -p /opt/app; printf 'user:%s' "$SECRET" | base64 -w0 > /opt/app/auth`, "secret", "/opt/app/auth", "clean"},
	{`grep ^builder: /etc/shadow | cut -d: -f2 > /var/lib/cloud/user-data`, "secret", "/var/lib/cloud/user-data", "clean"},
	{
		`mkdir -p /root/.ssh; echo '-----BEGIN OPENSSH PRIVATE KEY-----' > /root/.ssh/id_ed25519`, "private-key",
		"/root/.ssh/id_ed25519", "clean",
	},
	{`touch /opt/owned; chown builder /opt/owned`, "build-account", "/opt/owned", "clean"},
}

func TestResidueIsFound(t *testing.T) {
	t.Parallel()
	m := boot(t, func(s *Spec) { s.AuthorizedKeys = []string{buildKey} })
	m.put("ansible/roles/clean/files/finish.sh", "/usr/local/sbin/packer-hybrid-finish", "700")
	for _, plant := range plants {
		command := "SECRET=" + quote(testPassword) + "; mkdir -p /var/lib/cloud /opt /var/backups; " + plant.command
		m.run("sudo sh -c " + quote(command))
	}
	found, count, code, out := m.check("--account kept")
	if code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
	if strings.Contains(out, testPassword) || strings.Contains(out, "$y$") || strings.Contains(out, "AAAA") {
		t.Errorf("the output shows a secret:\n%s", out)
	}
	kinds, errs := map[string]bool{}, 0
	for _, one := range found {
		if one.Severity == "error" {
			errs++
		}
	}
	for _, plant := range plants {
		seen := false
		for _, one := range found {
			seen = seen || one.Kind == plant.kind && (plant.path == "" || one.Path == plant.path) &&
				strings.HasPrefix(one.Role, plant.role) && one.What != ""
		}
		if !seen {
			t.Errorf("not found: %s %s, role %s", plant.kind, plant.path, plant.role)
		}
		kinds[plant.kind] = true
	}
	if len(kinds) < 15 || count != errs {
		t.Errorf("%d kinds; %d findings are errors, the check counted %d", len(kinds), errs, count)
	}
	if t.Failed() {
		t.Log(out)
	}
}

// TestLastStep lets the last step clean what it is to clean, with what provisioning legitimately leaves there.
func TestLastStep(t *testing.T) {
	t.Parallel()
	m := boot(t, func(s *Spec) { s.AuthorizedKeys = []string{buildKey} })
	m.put("ansible/roles/clean/files/finish.sh", "/usr/local/sbin/packer-hybrid-finish", "700")
	m.run("sudo apt-get update -q && sudo DEBIAN_FRONTEND=noninteractive apt-get install -qy -o " +
		"Dpkg::Options::=--force-unsafe-io --no-install-recommends " +
		"cloud-init open-vm-tools qemu-guest-agent waagent")
	m.run("sudo useradd -m -p '!' kept && sudo mkdir ~kept/.ssh && echo ssh-ed25519 AAAAC3NzaC1lZDI1NTE5kept | sudo " +
		"tee ~kept/.ssh/authorized_keys")
	for _, plant := range plants {
		switch plant.kind { // what the clean role's sweep and the users role answer for
		case "seed", "password", "build-password", "build-key", "authorized-key", "private-key", "secret", "network":
		default:
			if plant.path != "/opt/owned" {
				m.run("sudo sh -c " + quote("mkdir -p /home/kept; "+strings.ReplaceAll(plant.command, "/home/guest", "/home/kept")))
			}
		}
	}
	m.run("mkdir .ansible && touch /tmp/packer-x && sudo touch /var/tmp/kept")
	found, count, code, out := m.check("--account kept --finish /usr/local/sbin/packer-hybrid-finish")
	if code != 0 || count != 0 || len(found) != 0 {
		t.Errorf("exit code %d, %d left, %d findings\n%s", code, count, len(found), out)
	}
	if _, err := m.dial(testUser, ssh.Password(testPassword)); err == nil {
		t.Error("the build account still signs in")
	}
}

// quote makes a text one word of the shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
