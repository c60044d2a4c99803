// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:16:00Z
// Spec: openspec/specs/leaks/spec.md#requirement-shapes-of-credentials
// Diagram: openspec/specs/leaks/diagram.md#one-file

package leaks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Secrets of the table, joined so that this file holds none.
var (
	gitHub  = "gh" + "p_Kd8sTq2LmZx0PvRb7NcYw4Hf6Jg1Ua3Ei5Vo"
	fine    = "github" + "_pat_11BXQDKFM0Kd8sTq2LmZx0_PvRb7NcYw4Hf6Jg1Ua3Ei5VoKd8sTq2LmZx0PvRb7NcYw4Hf"
	gitLab  = "gl" + "pat-Kd8sTq2LmZx0PvRb7NcY"
	slack   = "xox" + "b-214748364-8Kd8sTq2LmZx0PvRb7NcY"
	hook    = "https://hooks.slack" + ".com/services/T0KD8STQ2/B0LMZX0PV/Rb7NcYw4Hf6Jg1Ua3Ei5VoKd"
	aws     = "AK" + "IAQ3EGRTZK7MWPLXVN"
	azure   = "x9K8" + "Q~Kd8sTq2LmZx0PvRb7NcYw4Hf6Jg1Ua3Ei5"
	storage = "Account" + "Key=" + strings.Repeat("Kd8sTq2LmZx0PvRb7NcY", 4) + "w4Hf6Q=="
	sas     = "https://a.blob.core.windows.net/c?sv=2024-01-01&si" + "g=Kd8sTq2LmZx0PvRb7NcYw4Hf6Jg1Ua3Ei5VoKd8sTq2Lm%3D"
	proxmox = "packer@pve" + "!ci=9f1c7b3e-5a2d-4e8f-b6c0-1d3a7e9f2b4c"
	vault   = "hv" + "s.Kd8sTq2LmZx0PvRb7NcYw4Hf6"
	pem     = "-----BEGIN RSA PRIV" + "ATE KEY-----\n" + keyText + "-----END RSA PRIV" + "ATE KEY-----\n"
	openSSH = "-----BEGIN OPENSSH PRIV" + "ATE KEY-----\n" + keyText + "-----END OPENSSH PRIV" + "ATE KEY-----\n"
	pgp     = "-----BEGIN PGP PRIV" + "ATE KEY BLOCK-----\n\n" + keyText + "-----END PGP PRIV" + "ATE KEY BLOCK-----\n"
	putty   = "PuTTY-User-Key-" + "File-3: ssh-ed25519\nEncryption: none\n"
	account = `{"type": "service_account", "private_key": "` + strings.ReplaceAll(pem, "\n", `\n`) + `"}`
	hash    = "$6" + "$rounds=4096$Kd8sTq2LmZx0$PvRb7NcYw4Hf6Jg1Ua3Ei5VoKd8sTq2LmZx0PvRb7NcYw4Hf6Jg1Ua3Ei5Vo"
	random1 = "q83vEjRWeJq7zN3u8BI0VniavN7wEjRW"
	random2 = "Kd8sTq2LmZx0PvRb7NcYw4Hf6Jg1Ua3Ei5VoWt9Q"
)

var keyText = strings.Repeat("MIIEpAIBAAKCAQEAq7BFUpkGp3LmQlmQz8vYx1nTd0sWc5RfUgHj2KbEoVtXiZ4M\n", 3)

// placements are contents of files, and what is found in each: the line, and a part of the
// message; none when nothing is.
var placements = []struct {
	file, content string
	line          int
	message       string
}{
	// The security section of the project's founding document: .pkrvars.hcl outside of configs/ENV, cloud secrets,
	// placeholders, secrets of each platform.
	{"secrets.pkrvars.hcl", "build_username = \"packer\"\nbuild_password = \"hunter2\"\n", 2, "secret build_password"},
	{"templates/vars/db.auto.pkrvars.hcl", "proxmox_token = \"hunter2hunter2\"\n", 1, "secret proxmox_token"},
	{"templates/vars/db.auto.pkrvars.hcl", "proxmox_token = \"changeme\"\n", 0, ""},
	{"configs/lab/azure.pkrvars.hcl", "azure_client_secret = \"hunter2\"\n", 1, "secret azure_client_secret"},
	{"configs/lab/vsphere.pkrvars.hcl", "vsphere_password = \"VMware1!\"\n", 1, "secret vsphere_password"},
	{"configs/lab/proxmox.pkrvars.hcl", "api = \"PVEAPI" + "Token=" + proxmox + "\"\n", 1, "Proxmox VE API token"},
	{"x/y/deep.pkrvars.json", `{"a": 1,` + "\n" + `"build_password": "hunter2"}`, 2, "secret build_password"},
	// HCL.
	{"a.pkr.hcl", "source \"x\" \"y\" {\n  ssh_password = \"packer\"\n}\n", 2, "secret ssh_password"},
	{"a.pkr.hcl", "source \"x\" \"y\" {\n  ssh_password = var.build_password\n}\n", 0, ""},
	{"a.pkr.hcl", "ssh_password = \"${var.build_password}\"\n", 0, ""},
	{"a.pkr.hcl", "variable \"db_password\" {\n  type = string\n  default = \"hunter2\"\n}\n", 3, "secret db_password"},
	{"a.pkr.hcl", "variable \"db_password\" {\n  default = null\n}\nvariable \"a\" {\n  default = \"x1x1\"\n}\n", 0, ""},
	{"a.pkr.hcl", "password = <<EOT\nhunter2\nEOT\n", 2, "secret password"},
	{"a.pkr.hcl", "users = [{ name = \"x\", password = \"hunter2\" }]\n", 1, "secret password"},
	{"a.pkr.hcl", "passwords = \"x\"\nssh_password = \"\"\n", 0, ""},
	{"a.pkr.hcl", "token_ttl = \"3600s\"\nprivate_key_file = \"id_rsa\"\n", 0, ""},
	{"a.pkr.hcl", "api_keys = \"" + random1 + "\"\n", 1, "random text of api_keys"},
	{"main.tf", "access_key = \"" + aws + "\"\n", 1, "AWS access key (AKIA…)"},
	{"main.tf", "checksum = \"sha256:" + strings.Repeat("ab12", 16) + "\"\n", 0, ""},
	{"a.pkr.hcl", "blob = \"" + random2 + "\"\n", 1, "may be a secret"},
	{"a.pkr.hcl", "# " + strings.SplitN(openSSH, "\n", 2)[0] + "\n", 1, "private key"},
	// YAML and Ansible.
	{"group_vars/all.yml", "- vars:\n    db_password: Sup3rS3cret!\n", 2, "secret db_password"},
	{"group_vars/all.yml", "ansible_become_pass: hunter2\n", 1, "secret ansible_become_pass"},
	{"group_vars/all.yml", "db_password: \"{{ vault_db_password }}\"\n", 0, ""},
	{"group_vars/all.yml", "db_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6238633\n", 0, ""},
	{"group_vars/vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n6263\npassword: x1x1x1x1\n", 0, ""},
	{"group_vars/all.yml", "password: |\n  hunter2\n", 2, "secret password"},
	{"group_vars/all.yml", "password: 12345678\n", 1, "secret password"},
	{"group_vars/all.yml", "user: {name: x, password: hunter2}\n", 1, "secret password"},
	{"group_vars/all.yml", "password: !unsafe hunter2\n", 1, "secret password"},
	{"k8s.yaml", "env:\n- name: DB_PASSWORD\n  value: hunter2\n", 3, "secret DB_PASSWORD"},
	{"k8s.yaml", "env:\n- name: DB_PASSWORD\n  valueFrom: x\n", 0, ""},
	{".github/workflows/x.yml", "permissions:\n  id-token: write\nenv:\n  token: ${{ secrets.TOKEN }}\n", 0, ""},
	{"user-data", "#cloud-config\nchpasswd:\npassword: hunter2\n", 3, "secret password"},
	{"user-data", "#cloud-config\nusers:\n- passwd: " + hash + "\n", 3, "hash of a password"},
	{"tasks.yml", "- no_log: true\n  update_password: always\n  generate_password: yes\n", 0, ""},
	{".vault_pass", "hunter2\n", 1, "password of Ansible Vault"},
	{"ansible/vault-password.txt", "hunter2\n", 1, "password of Ansible Vault"},
	{"ansible/vault-password", "#!/bin/sh\nsecret-tool lookup ansible vault\n", 0, ""},
	{"inventory", "web1 ansible_host=10.0.0.1 ansible_ssh_pass=hunter2\n", 1, "secret ansible_ssh_pass"},
	// JSON.
	{"secrets.json", `{"adminPassword": {"value": "hunter2"}}`, 1, "secret adminPassword"},
	{"old.json", `{"variables": {"ssh_password": "hunter2"}}`, 1, "secret ssh_password"},
	{"old.json", `{"variables": {"ssh_password": "{{env ` + "`X`" + `}}"}}`, 0, ""},
	{"schema.json", `{"password": {"type": "string"}, "token": null}`, 0, ""},
	{"key.json", account, 1, "private key"},
	{"x.tfstate", `{"secret_key": "hunter2hunter2"}`, 1, "secret secret_key"},
	// Environments, INI and their like.
	{".env", "PKR_VAR_build_password=hunter2\n", 1, "secret PKR_VAR_build_password"},
	{".env.prod", "# x\nexport DB_PASSWORD='hunter2'\n", 2, "secret DB_PASSWORD"},
	{".env", "DB_PASSWORD=$OTHER\nTOKEN=\nAPI_KEY=<your key>\n", 0, ""},
	{".env.example", "DB_PASSWORD=hunter2\n", 0, ""},
	{".env.example", "T=" + gitHub + "\n", 1, "GitHub token (ghp_…)"},
	{"my.cnf", "[client]\npassword = hunter2\n", 2, "secret password"},
	{".netrc", "machine x login me password hunter2\n", 1, "password of netrc"},
	{".npmrc", "//registry.npmjs.org/:_authToken=hunter2hunter2\n", 1, "secret"},
	{"x.service", "[Service]\nEnvironment=\"DB_PASSWORD=hunter2\"\n", 2, "secret"},
	{"Dockerfile", "FROM x\nENV DB_PASSWORD=hunter2\n", 2, "secret DB_PASSWORD"},
	// Scripts.
	{"scripts/a.sh", "PASSWORD=\"hunter2\"\n", 1, "secret PASSWORD"},
	{"scripts/a.sh", "PASSWORD=\"$1\"\nTOKEN=$(cat x)\nif [ \"$PASSWORD\" == \"a\" ]; then :; fi\n", 0, ""},
	{"scripts/a.sh", "sshpass -p hunter2 ssh x\n", 1, "password of sshpass"},
	{"scripts/a.sh", "echo 'root:hunter2' | chpasswd\n", 1, "password for chpasswd"},
	{"scripts/a.sh", "curl -u me:hunter2 https://x\n", 1, "password for curl"},
	{"scripts/a.sh", "mysql --password hunter2\n", 1, "secret --password"},
	{"scripts/noend", "#!/bin/bash\nexport API_TOKEN=hunter2hunter2\n", 2, "secret API_TOKEN"},
	{"x.ps1", "$AdminPassword = \"hunter2\"\n", 1, "secret $AdminPassword"},
	{"x.ps1", "$p = ConvertTo-SecureString 'hunter2' -AsPlainText -Force\n", 1, "password of PowerShell"},
	{"x.ps1", "$AdminPassword = $env:ADMIN\n", 0, ""},
	{"x.py", "password = \"hunter2\"\ntoken = os.environ[\"T\"]\n", 1, "secret password"},
	{"x.cmd", "net user packer hunter2 /add\n", 1, "password for net user"},
	// Answers of installers.
	{"ks.cfg", "rootpw --plaintext hunter2\n", 1, "password of root"},
	{"ks.cfg", "user --name=x --password=hunter2\n", 1, "secret"},
	{"ks.pkrtpl.hcl", "rootpw ${build_password}\n", 0, ""},
	{"preseed.cfg", "d-i passwd/user-password password hunter2\n", 1, "password of the installer"},
	{"preseed.pkrtpl.hcl", "d-i passwd/user-password password ${build_password}\n", 0, ""},
	{"autounattend.xml", "<Password>\n<Value>hunter2</Value>\n</Password>\n", 2, "password of the installer"},
	// Shapes anywhere.
	{"README.md", "# x\n\nuse " + gitHub + "\n", 3, "GitHub token (ghp_…)"},
	{"README.md", "see postgres://me:" + "Kd8sTq2Lm@db/x and postgres://user:password@host\n", 1, "password in a URL"},
	{"README.md", "set GH_TOKEN to gh" + "p_abcdefghijklmnopqrstuvwxyz0123456789\n", 0, ""},
	{"x.go", "const t = \"" + fine + "\"\n", 1, "GitHub token (gith…)"},
	{"x.go", "const header = \"-----BEGIN RSA PRIV" + "ATE KEY-----\"\n", 0, ""},
	{"id_rsa", pem, 1, "private key"},
	{"templates/ansible/files/id_ed25519", openSSH, 1, "private key"},
	{"keys/x.asc", pgp, 1, "private key"},
	{"x.ppk", putty, 1, "private key"},
	{"notes", gitLab, 1, "GitLab token (glpa…)"},
	{"x.yml", "url: " + hook + "\n", 1, "Slack webhook"},
	{"x.js", "x('" + slack + "')\n", 1, "Slack token (xoxb…)"},
	{"x.ini", "id = " + aws + "\n", 1, "AWS access key (AKIA…)"},
	{"x.ini", "id = AK" + "IAIOSFODNN7EXAMPLE\n", 0, ""},
	{"x.txt", azure + "\n", 1, "Azure client secret"},
	{"x.env", "CONNECTION=DefaultEndpointsProtocol=https;" + storage + "\n", 1, "Azure account key"},
	{"x.sh", "azcopy cp '" + sas + "' .\n", 1, "shared access signature"},
	{"x.sh", "vault login " + vault + "\n", 1, "Vault token (hvs.…)"},
	{"x.yml", "x: mongodb://root:hunter2@db/admin\n", 1, "password in a URL"},
	{"x.yml", "x: mongodb://{{ user }}:{{ pass }}@db/admin\n", 0, ""},
	{"go.sum", "x v1.0.0 h1:" + random2 + "=\n", 0, ""},
	{"authorized_keys", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKd8sTq2LmZx0PvRb7NcYw4Hf6Jg1Ua3Ei5VoKd8s me\n", 0, ""},
}

func TestPlacements(t *testing.T) {
	t.Parallel()
	if len(placements) < 60 {
		t.Errorf("%d placements", len(placements))
	}
	for i, p := range placements {
		found := Text(p.file, []byte(p.content))
		switch {
		case p.line == 0 && len(found) > 0:
			t.Errorf("%d %s: %q: found %v", i, p.file, p.content, found[0].Finding)
		case p.line > 0 && len(found) != 1:
			t.Errorf("%d %s: %q: %d findings", i, p.file, p.content, len(found))
		case p.line > 0 && (found[0].Finding.Line != p.line || !strings.Contains(found[0].Finding.Message, p.message)):
			t.Errorf("%d %s: %q: found %v", i, p.file, p.content, found[0].Finding)
		}
	}
}

func TestFindingsShowNoSecret(t *testing.T) {
	t.Parallel()
	for _, p := range placements {
		for _, leak := range Text(p.file, []byte(p.content)) {
			said := fmt.Sprintf("%+v", leak.Finding)
			if len(leak.Value) > 4 && strings.Contains(said, leak.Value) {
				t.Errorf("%s: %s", p.file, said)
			}
			if leak.Fixed != strings.Contains(said, "private key") {
				t.Errorf("%s: fixed %v: %s", p.file, leak.Fixed, said)
			}
		}
	}
}

func TestScan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name, content string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("b/secrets.pkrvars.hcl", "build_password = \"hunter2\"\n")
	put("a.env", "\nTOKEN=hunter2\n")
	put("binary", "\x00TOKEN=hunter2\n")
	put("large.env", strings.Repeat("x", maxFile)+"\nTOKEN=hunter2\n")
	put("large-binary", "\x7fELF\x00"+strings.Repeat("x", maxFile))
	put("state/x.env", "TOKEN=hunter2\n")
	put(".git/x.env", "TOKEN=hunter2\n")
	if err := os.Symlink("a.env", filepath.Join(dir, "link.env")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	names, err := Walk(t.Context(), root, []string{"state"})
	if err != nil || len(names) != 5 {
		t.Fatal(names, err)
	}
	r := Scan(t.Context(), root, append(names, "link.env", "gone.env"))
	if len(r.Leaks) != 2 || r.Binary != 2 || r.Files != 2 ||
		r.Leaks[0].Finding.File != "a.env" || r.Leaks[0].Finding.Line != 2 {
		t.Errorf("%+v", r)
	}
	if len(r.Notes) != 2 || r.Notes[0].Severity != hybridcore.Info || r.Notes[1].Severity != hybridcore.Warning {
		t.Errorf("%+v", r.Notes)
	}
}

// TestTooMany lists those that block first, and blocks for those that are not listed when one of them would.
func TestTooMany(t *testing.T) {
	t.Parallel()
	warns := Leak{Finding: hybridcore.Finding{File: "a", Severity: hybridcore.Warning}}
	blocks := Leak{Finding: hybridcore.Finding{File: "z", Severity: hybridcore.Error, Blocking: true}}
	for what, of := range map[string]struct {
		warn, block, dropped, droppedBlock int
		listed                             int // of those that block
		blocking                           bool
	}{
		"warnings only":        {warn: maxLeaks + 1},
		"dropped warnings":     {warn: maxLeaks, dropped: 5},
		"one blocks, and last": {warn: maxLeaks, block: 1, listed: 1},
		"too many that block":  {warn: 5, block: maxLeaks + 1, listed: maxLeaks, blocking: true},
		"a dropped one blocks": {warn: maxLeaks, dropped: 5, droppedBlock: 1, blocking: true},
	} {
		found := append(slices.Repeat([]Leak{warns}, of.warn), slices.Repeat([]Leak{blocks}, of.block)...)
		r := (&scan{dropped: of.dropped, blocks: of.droppedBlock}).report(found)
		if len(r.Leaks) != maxLeaks || blocking(r.Leaks) != of.listed || len(r.Notes) != 1 ||
			r.Notes[0].Blocking != of.blocking || (r.Notes[0].Severity == hybridcore.Error) != of.blocking {
			t.Errorf("%s: %d listed, of which %d block, and %+v", what, len(r.Leaks), blocking(r.Leaks), r.Notes)
		}
	}
}

// TestTimeOfHostileFiles holds the search to time that grows with a file as its size does.
func TestTimeOfHostileFiles(t *testing.T) {
	t.Parallel()
	for _, piece := range []string{
		"password: ", "password=\"", "a: 'x ", "://x:y@", "-----BEGIN PRIV" + "ATE KEY-----\n\n", "token{", "ghp_",
		"key=[\"",
		"curl -u a:b ", "<password>", "name: password\nvalue:", "$6$", "eyJ", "password=hunter2 ",
		"variable \"password\" ",
	} {
		content := []byte(strings.Repeat(piece, 128<<10/len(piece)))
		for _, name := range []string{"x.yml", "x.json", "x.sh", "x.hcl", "x.xml", "x.go"} {
			start := time.Now()
			Text(name, content)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%s of %q: %v", name, piece, took)
			}
		}
	}
}

func FuzzText(f *testing.F) {
	for _, p := range placements {
		f.Add(p.file, []byte(p.content))
	}
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		last := 0
		for _, leak := range Text(name, content) {
			line := leak.Finding.Line
			if line <= last || line > strings.Count(string(content), "\n")+1 || leak.Finding.Column < 1 {
				t.Fatalf("%+v", leak.Finding)
			}
			last = line
			if !strings.Contains(string(content), leak.Value) {
				t.Fatal("a secret that the file does not hold")
			}
		}
	})
}
