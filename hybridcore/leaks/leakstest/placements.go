// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:46:30Z
// Spec: openspec/specs/leaks/spec.md#requirement-shapes-of-credentials
// Diagram: openspec/specs/leaks/diagram.md#one-file

// Package leakstest has contents of files with and without secrets, for tests.
package leakstest

import "strings"

// Secrets of the table, joined so that this file holds none.
const (
	sum     = `"e1ffa4b282b0bb31151a9d108fcb663d6a7a6cfb32cc834ca57e2f2ab7f67b53"`
	part    = "Kd8sTq2LmZx0PvRb7NcY"
	keyLine = "MIIEpAIBAAKCAQEAq7BFUpkGp3LmQlmQz8vYx1nTd0sWc5RfUgHj2KbEoVtXiZ4M\n"
	keyText = keyLine + keyLine + keyLine
	gitHub  = "gh" + "p_Kd8sTq2LmZx0PvRb7NcYw4Hf6Jg1Ua3Ei5Vo"
	fine    = "github" + "_pat_11BXQDKFM0Kd8sTq2LmZx0_PvRb7NcYw4Hf6Jg1Ua3Ei5VoKd8sTq2LmZx0PvRb7NcYw4Hf"
	gitLab  = "gl" + "pat-Kd8sTq2LmZx0PvRb7NcY"
	slack   = "xox" + "b-214748364-8Kd8sTq2LmZx0PvRb7NcY"
	hook    = "https://hooks.slack" + ".com/services/T0KD8STQ2/B0LMZX0PV/Rb7NcYw4Hf6Jg1Ua3Ei5VoKd"
	aws     = "AK" + "IAQ3EGRTZK7MWPLXVN"
	azure   = "x9K8" + "Q~Kd8sTq2LmZx0PvRb7NcYw4Hf6Jg1Ua3Ei5"
	storage = "Account" + "Key=" + part + part + part + part + "w4Hf6Q=="
	sas     = "https://a.blob.core.windows.net/c?sv=2024-01-01&si" + "g=Kd8sTq2LmZx0PvRb7NcYw4Hf6Jg1Ua3Ei5VoKd8sTq2Lm%3D"
	proxmox = "packer@pve" + "!ci=9f1c7b3e-5a2d-4e8f-b6c0-1d3a7e9f2b4c"
	vault   = "hv" + "s.Kd8sTq2LmZx0PvRb7NcYw4Hf6"
	pem     = "-----BEGIN RSA PRIV" + "ATE KEY-----\n" + keyText + "-----END RSA PRIV" + "ATE KEY-----\n"
	openSSH = "-----BEGIN OPENSSH PRIV" + "ATE KEY-----\n" + keyText + "-----END OPENSSH PRIV" + "ATE KEY-----\n"
	pgp     = "-----BEGIN PGP PRIV" + "ATE KEY BLOCK-----\n\n" + keyText + "-----END PGP PRIV" + "ATE KEY BLOCK-----\n"
	putty   = "PuTTY-User-Key-" + "File-3: ssh-ed25519\nEncryption: none\n"
	hash    = "$6" + "$rounds=4096$Kd8sTq2LmZx0$PvRb7NcYw4Hf6Jg1Ua3Ei5VoKd8sTq2LmZx0PvRb7NcYw4Hf6Jg1Ua3Ei5Vo"
	random1 = "q83vEjRWeJq7zN3u8BI0VniavN7wEjRW"
	random2 = "Kd8sTq2LmZx0PvRb7NcYw4Hf6Jg1Ua3Ei5VoWt9Q"
)

// Placement is the content of one file, and what is found in it.
type Placement struct {
	File, Content string
	Line          int    // of what is found; 0 for nothing
	Message       string // a part of the finding's
}

// Placements are contents of files with secrets in every form, and without.
var Placements = []Placement{
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
	{
		"key.json", `{"type": "service_account", "private_key": "` + strings.ReplaceAll(pem, "\n", `\n`) + `"}`, 1,
		"private key",
	},
	{"x.tfstate", `{"secret_key": "hunter2hunter2"}`, 1, "secret secret_key"},
	{"list.json", "{\n\"openssl\": " + sum + ",\n\"passwd\": " + sum + ",\n\"perl\": " + sum + "\n}\n", 0, ""},
	{"list.json", "{\n\"user\": \"me\",\n\"passwd\": " + sum + ",\n\"perl\": " + sum + "\n}\n", 3, "secret passwd"},
	{"list.json", `{"/etc/passwd-": 1, "/etc/passwd": "x", "pam": {"common-password": "0644 root:root sha256:12ab"}}`, 0, ""},
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
	{"autounattend.pkrtpl.hcl", "<settings pass=\"oobeSystem\">\n<x pass=\"specialize\">\n", 0, ""},
	{"autounattend.pkrtpl.hcl", "<component publicKeyToken=\"31bf3856ad364e35\" language=\"neutral\">\n", 0, ""},
	{"autounattend.xml", "<settings pass=\"hunter2\">\n", 1, "secret pass"},
	{"get.sh", "curl -H \"Authorization: Bearer $access_token\" \"https://x/$id\"\n", 0, ""},
	{"get.sh", "curl -H \"Authorization: Bearer Kd8sTq2LmZx0PvRb7NcY\" https://x\n", 1, "header Authorization"},
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
