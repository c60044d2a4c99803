// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:22:23Z
// Spec: openspec/specs/logs/spec.md#requirement-secret-looking-environment-variables-are-recognised
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFromEnviron(t *testing.T) {
	environ := []string{
		"ARM_CLIENT_SECRET=value-1", "GITHUB_TOKEN=value-2", "ACTIONS_RUNTIME_TOKEN=value-3",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN=value-4",
		"PKR_VAR_ssh_password=value-5", "PKR_VAR_clientSecret=value-6", "PGPASSWORD=value-7", "NPM_AUTHTOKEN=value-8",
		"DB_PWD=value-9",
		"AWS_SECRET_ACCESS_KEY=/abc/defg+value", "ARM_ACCESS_KEY=value-a", "VAULT_TOKEN=value=b",
		"SLACK_WEBHOOK_URL=https://hooks/x", "API_KEY=value-c",
		"GOVC_PASSWORD=value-d", "PROXMOX_TOKEN=value-e", "SSH_KEY=-----BEGIN X-----\nabc",
		"HTTPS_PROXY=http://user:pa%40ss@proxy:3128",
		"ANSIBLE_SSH_PASS=value-f", "GOOGLE_CREDENTIALS={\"a\":1}", "CI_JOB_JWT=value-g",

		"PATH=/usr/bin:/bin", "PWD=/home/me/secret", "OLDPWD=/", "SSH_AUTH_SOCK=/tmp/agent",
		"AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/token",
		"ACTIONS_ID_TOKEN_REQUEST_URL=https://token", "AWS_ACCESS_KEY_ID=AKIA", "SSH_ASKPASS=/usr/bin/askpass",
		"GOOGLE_APPLICATION_CREDENTIALS=/home/me/c.json",
		"SSH_KEY=~/.ssh/id_ed25519", "USE_TOKEN=true", "TOKEN=", "PASSWORD_LENGTH=16", "TOKENIZERS_PARALLELISM=false",
		"SSH_PUBLIC_KEY=ssh-ed25519 AAAA",
		"KEYBOARD=us", "MONKEY=banana", "HOME=/root", "NO_PROXY=http://host", "=C:=x", "novalue", "DB_PASSWORD=12",
	}
	want := []Secret{
		{"ARM_CLIENT_SECRET", "value-1"},
		{"GITHUB_TOKEN", "value-2"},
		{"ACTIONS_RUNTIME_TOKEN", "value-3"},
		{"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "value-4"},
		{"PKR_VAR_ssh_password", "value-5"},
		{"PKR_VAR_clientSecret", "value-6"},
		{"PGPASSWORD", "value-7"},
		{"NPM_AUTHTOKEN", "value-8"},
		{"DB_PWD", "value-9"},
		{"AWS_SECRET_ACCESS_KEY", "/abc/defg+value"},
		{"ARM_ACCESS_KEY", "value-a"},
		{"VAULT_TOKEN", "value=b"},
		{"SLACK_WEBHOOK_URL", "https://hooks/x"},
		{"API_KEY", "value-c"},
		{"GOVC_PASSWORD", "value-d"},
		{"PROXMOX_TOKEN", "value-e"},
		{"SSH_KEY", "-----BEGIN X-----\nabc"},
		{"HTTPS_PROXY", "pa@ss"},
		{"ANSIBLE_SSH_PASS", "value-f"},
		{"GOOGLE_CREDENTIALS", "{\"a\":1}"},
		{"CI_JOB_JWT", "value-g"},
	}
	if diff := cmp.Diff(want, FromEnviron(environ)); diff != "" {
		t.Error(diff)
	}
	if !SecretName("vsphere_password") || SecretName("vsphere_username") {
		t.Error("SecretName")
	}
}
