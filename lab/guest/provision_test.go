// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:40:51Z
// Spec: openspec/specs/lab/spec.md#requirement-offline-packages
// Diagram: openspec/specs/lab/diagram.md#parts

package guest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackagesInstallOffline(t *testing.T) {
	t.Parallel()
	m := boot(t, nil)
	m.run("sudo apt-get update")
	m.run("sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -o Dpkg::Options::=--force-unsafe-io " +
		"--no-install-recommends curl chrony open-vm-tools " +
		"cloud-init auditd")
	if out := m.run("curl --version"); !strings.HasPrefix(out, "curl ") {
		t.Errorf("curl says %q", out)
	}
	if out := m.run("sudo dpkg --audit; dpkg-query -W -f '${db:Status-Abbrev}\\n' | sort -u"); out != "ii" {
		t.Errorf("packages are not all installed: %q", out)
	}
	out := m.run("sudo systemctl disable --quiet chrony; systemctl is-enabled chrony ssh; true")
	if out != "disabled\nenabled" {
		t.Errorf("units: %q", out)
	}
	if out := m.run("sudo sshd -T | grep -c ."); out == "0" {
		t.Error("sshd -T says nothing")
	}
	if _, err := os.Stat(filepath.Join(m.spec.Upper, "usr/bin/curl")); err != nil {
		t.Errorf("the delta lacks curl: %v", err)
	}
}

func TestAnsibleOverSFTP(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ansible"); err != nil {
		t.Fatal("ansible is not in PATH; run: make tools")
	}
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	m := boot(t, func(s *Spec) { s.AuthorizedKeys = []string{strings.TrimSpace(string(public))} })
	inventory := filepath.Join(dir, "hosts")
	line := "guest ansible_host=127.0.0.1 ansible_port=" + m.port() +
		" ansible_user=" + testUser + " ansible_ssh_private_key_file=" + key
	if err := os.WriteFile(inventory, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	play := func(args ...string) string {
		cmd := exec.Command("ansible", append([]string{"-i", inventory, "guest"}, args...)...)
		cmd.Env = append(os.Environ(), "ANSIBLE_HOST_KEY_CHECKING=False", "ANSIBLE_SSH_TRANSFER_METHOD=sftp",
			"ANSIBLE_LOCAL_TEMP="+dir,
			"ANSIBLE_SSH_CONTROL_PATH_DIR="+dir, "ANSIBLE_NOCOLOR=1", "HOME="+dir, "LC_ALL=C.UTF-8")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("ansible %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if out := play("-m", "ping"); !strings.Contains(out, `"ping": "pong"`) {
		t.Errorf("ping: %s", out)
	}
	facts := play("-b", "-m", "setup")
	for _, want := range []string{
		`"ansible_distribution": "Debian"`, `"ansible_user_id": "root"`,
		`"ansible_hostname": "unit"`, `"ansible_service_mgr": "systemd"`, `"ansible_virtualization_type": "VMware"`,
	} {
		if !strings.Contains(facts, want) {
			t.Errorf("the facts lack %s", want)
		}
	}
	if out := play("-b", "-m", "systemd", "-a", "name=ssh enabled=no"); !strings.Contains(out, "CHANGED") {
		t.Errorf("disabling a unit: %s", out)
	}
	if out := play("-b", "-m", "systemd", "-a", "name=ssh enabled=no"); strings.Contains(out, "CHANGED") {
		t.Errorf("disabling it again: %s", out)
	}
	if out := play("-b", "-m", "apt", "-a", "name=curl update_cache=yes"); !strings.Contains(out, "CHANGED") {
		t.Errorf("installing a package: %s", out)
	}
}

func TestOpenSSHTools(t *testing.T) {
	m := boot(t, nil)
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	m.run("mkdir -m 700 .ssh && echo '" + strings.TrimSpace(string(public)) + "' > .ssh/authorized_keys")
	payload := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // 1 MiB
	file := filepath.Join(dir, "payload")
	if err := os.WriteFile(file, payload, 0o600); err != nil {
		t.Fatal(err)
	}
	options := []string{
		"-q", "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-P",
		m.port(),
	}
	for _, protocol := range []string{"-O", "-s"} { // the old scp protocol, and SFTP
		back := filepath.Join(dir, "back"+protocol)
		for _, args := range [][]string{{file, testUser + "@127.0.0.1:copy"}, {testUser + "@127.0.0.1:copy", back}} {
			if out, err := exec.Command("scp",
				append(append([]string{protocol}, options...), args...)...).CombinedOutput(); err != nil {
				t.Fatalf("scp %s %v: %v\n%s", protocol, args, err, out)
			}
		}
		if content, err := os.ReadFile(back); err != nil || !bytes.Equal(content, payload) {
			t.Errorf("scp %s: %d bytes came back, %v", protocol, len(content), err)
		}
	}
}
