// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:10:48Z
// Spec: openspec/specs/leaks/spec.md#requirement-settings-that-name-a-secret
// Diagram: openspec/specs/leaks/diagram.md#one-file

package leaks

import (
	"bytes"
	"regexp"
)

// command is a line that takes a secret without naming it. Its first group is the secret.
type command struct {
	hint string // a text that every match holds, in small letters
	what string
	form *regexp.Regexp
}

// commands are those that installers and scripts of images know.
var commands = []command{
	{"sshpass", "the password of sshpass", regexp.MustCompile(`(?i)\bsshpass\s+-p\s*["']?([^\s"']+)`)},
	{"chpasswd", "a password for chpasswd", regexp.MustCompile(`(?i)["']?\b[\w.-]+:([^\s"':|]+)["']?\s*\|\s*(?:sudo\s+)?chpasswd`)},
	{"curl", "a password for curl", regexp.MustCompile(`(?i)\bcurl\b[^\n]*\s(?:-u|--user)[ =]?["']?[\w.@\\-]+:([^\s"']+)`)},
	{"rootpw", "the password of root", regexp.MustCompile(`(?im)^\s*rootpw\s+(?:--?(?:plaintext|iscrypted)\s+)?([^-\s]\S*)`)},
	{"passwd/", "a password of the installer", regexp.MustCompile(`(?im)\bpasswd/[\w-]*password(?:-crypted)?(?:-again)?\s+password\s+(\S+)`)},
	{
		"convertto-securestring", "a password of PowerShell",
		regexp.MustCompile(`(?i)ConvertTo-SecureString\s+(?:-String\s+)?["']([^"'\n]+)["']`),
	},
	{"net user", "a password for net user", regexp.MustCompile(`(?i)\bnet\s+user\s+["']?[\w.-]+["']?\s+["']?([^\s"'/]+)["']?`)},
	{"machine", "a password of netrc", regexp.MustCompile(`(?i)\bmachine\s+\S+\s+login\s+\S+\s+password\s+(\S+)`)},
	{"password>", "a password of the installer", regexp.MustCompile(`(?is)<\w*password>\s{0,20}(?:<value>)?\s{0,20}([^<\s][^<\n]{0,200})<`)},
	{"identified by", "the password of a database user", regexp.MustCompile(`(?i)\bidentified\s+by\s+["']([^"'\n]+)["']`)},
}

// orders finds secrets that commands take.
func orders(t *file) []span {
	if t.form == source || t.form == jsonForm || t.example || t.encrypted() {
		return nil
	}
	lower := bytes.ToLower(t.content)
	var found []span
	for _, c := range commands {
		if !bytes.Contains(lower, []byte(c.hint)) {
			continue
		}
		for _, at := range c.form.FindAllSubmatchIndex(t.content, maxLeaks) {
			if literal(string(t.content[at[2]:at[3]])) {
				found = append(found, span{from: at[2], to: at[3], what: c.what})
			}
		}
	}
	return found
}

// vaultFile matches names of files that hold the password of Ansible Vault.
var vaultFile = regexp.MustCompile(`(?i)(^|/)\.?(ansible)?[-_.]?vault[-_.]?(pass|passwd|password)(\.txt|[-_.]file)?$`)
