// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:09:08Z
// Spec: openspec/specs/leaks/spec.md#requirement-shapes-of-credentials
// Diagram: openspec/specs/leaks/diagram.md#one-scan

package leaks

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/shape"
)

// privateKey is the name of the shapes that no waiver accepts.
const privateKey = "private-key"

// keyFiles are the beginnings of key files that no log holds, so that nobody looks for them there.
var keyFiles = []shape.Anchor{
	{Text: "PuTTY-User-Key-File-", At: 0, Kind: shape.Kind{Name: privateKey, Scan: firstLine}},
	{Text: "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY", At: 0, Kind: shape.Kind{Name: privateKey, Scan: firstLine}},
}

// keyFile matches the whole first line of such a file.
var keyFile = regexp.MustCompile(`^(PuTTY-User-Key-File-[0-9]: [a-z0-9-]+|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----)\s`)

// firstLine takes what follows an anchor up to the end of its line.
func firstLine(c shape.Candidate) (int, int, shape.Verdict) {
	at := keyFile.FindIndex(c.Text[:min(len(c.Text), 200)])
	if at == nil {
		return 0, 0, shape.No
	}
	return 0, at[1] - 1, shape.Yes
}

// anchors finds the anchors of the shapes by the two bytes at which they are rarest.
type anchors struct {
	known [1 << 16]bool
	list  map[uint16][]shape.Anchor
}

var allAnchors = newAnchors(slices.Concat(shape.Anchors, keyFiles)) //nolint:gochecknoglobals // a table, made once

func newAnchors(all []shape.Anchor) *anchors {
	a := &anchors{list: map[uint16][]shape.Anchor{}}
	for _, one := range all {
		pair := uint16(one.Text[one.At]) | uint16(one.Text[one.At+1])<<8
		a.known[pair] = true
		a.list[pair] = append(a.list[pair], one)
	}
	return a
}

// span is a secret in a file: what is to be hidden of it, and what it is.
type span struct {
	from, to int
	what     string // for a message: a GitHub token, the secret db_password
	prefix   string // that may be shown; empty for none
	fixed    bool
	guess    bool // only looks like a secret
}

// shapes finds the credentials of a text that their form gives away.
func shapes(t *file) []span {
	var found []span
	content := t.content
	for i := 0; i+1 < len(content); i++ {
		pair := uint16(content[i]) | uint16(content[i+1])<<8
		if !allAnchors.known[pair] {
			continue
		}
		for _, one := range allAnchors.list[pair] {
			start := i - one.At
			if start < 0 || !bytes.HasPrefix(content[start:], []byte(one.Text)) {
				continue
			}
			if s, ok := shaped(t, one, start); ok {
				found = append(found, s)
			}
		}
	}
	return found
}

// shaped is the credential at an anchor.
func shaped(t *file, anchor shape.Anchor, start int) (span, bool) {
	c := shape.Candidate{
		Text: t.content[start:min(len(t.content), start+shape.MaxHold)], Anchor: len(anchor.Text), Final: true,
	}
	copy(c.Before[2-min(2, start):], t.content[max(0, start-2):start])
	from, to, verdict := anchor.Kind.Scan(c)
	if verdict != shape.Yes {
		return span{}, false
	}
	s := span{from: start + from, to: start + to, what: "what looks like " + title(anchor.Kind.Name)}
	value := string(t.content[s.from:s.to])
	switch {
	case slices.ContainsFunc(keyFiles, func(a shape.Anchor) bool { return a.Text == anchor.Text }):
		s.fixed = true
		return s, true
	case anchor.Kind.Name == privateKey:
		s.fixed = true
		return s, t.form != source && t.form != jsonForm || keyLines(value) && wholeKey.MatchString(value)
	case stands(value), variable.MatchString(value), t.form == source && !meant(anchor.Kind.Name, value, from > 0):
		return span{}, false
	case from == 0:
		s.prefix = anchor.Text[:min(4, len(anchor.Text))]
	}
	return s, true
}

// named are the least lengths of credentials that stand behind their names, in programs and
// prose: where a name is mentioned, what follows it is mostly no credential.
var named = map[string]int{"azure-account-key": 60, "aws-secret-key": 40, "proxmox-token": 36, "url-password": 8}

// meant says whether a program or prose holds a credential, and not only the form of one.
func meant(kind, value string, isNamed bool) bool {
	least, known := named[kind]
	switch {
	case mentioned(value), isNamed && (!known || len(value) < least):
		return false
	case kind == "url-password":
		return strings.ContainsAny(value, "0123456789") && strings.ToLower(value) != value && strings.ToUpper(value) != value
	case kind == "proxmox-token":
		return uuid.MatchString(value)
	case kind == "jwt": // the shortest signature has 43
		return len(value)-strings.LastIndexByte(value, '.') > 40
	}
	return true
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// wholeKey matches the end of a private key.
var wholeKey = regexp.MustCompile(`PRIVATE KEY( BLOCK)?-----$`)

// title is the name of a shape in words.
func title(name string) string {
	switch name {
	case "aws-key-id":
		return "an AWS access key"
	case "aws-secret-key":
		return "an AWS secret key"
	case "proxmox-token":
		return "a Proxmox VE API token"
	case "slack-webhook":
		return "the address of a Slack webhook"
	case "url-password":
		return "a password in a URL"
	case "jwt":
		return "a JSON web token"
	case "authorization":
		return "a value of the header Authorization"
	case "password-hash":
		return "the hash of a password"
	case "azure-sas":
		return "a shared access signature of Azure"
	}
	words := strings.NewReplacer("github", "GitHub", "gitlab", "GitLab", "slack", "Slack", "vault", "Vault", "-", " ",
		"proxmox", "Proxmox VE", "vsphere", "vSphere", "csrf", "CSRF")
	if rest, azure := strings.CutPrefix(name, "azure"); azure {
		return "an Azure" + words.Replace(rest)
	}
	return "a " + words.Replace(name)
}

// keyLines says whether a text has a line of a key.
func keyLines(text string) bool {
	run := 0
	for i := range len(text) {
		if !shape.Alnum[text[i]] && text[i] != '+' && text[i] != '/' {
			run = 0
		} else if run++; run >= 40 {
			return true
		}
	}
	return false
}
