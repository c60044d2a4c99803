// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:10:48Z
// Spec: openspec/specs/leaks/spec.md#requirement-no-finding-shows-a-secret
// Diagram: openspec/specs/leaks/diagram.md#one-file

package leaks

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Text searches the content of a file. Each line has one finding at most: the worst one,
// about all secrets of the line together, so that a waiver holds for no further one.
func Text(name string, content []byte) []Leak {
	t := newFile(name, content)
	all := slices.Concat(shapes(t), settings(t), orders(t), vaultPassword(t))
	slices.SortStableFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var found []Leak
	at, line, begins, end := 0, 1, 0, -1
	for _, s := range all {
		if s.from < end { // within the one before, as a URL's password is in a setting
			if last := len(found) - 1; s.fixed {
				found[last].fix()
			}
			continue
		}
		if len(found) > maxLeaks {
			break
		}
		between := content[at:s.from]
		line += bytes.Count(between, []byte("\n"))
		if last := bytes.LastIndexByte(between, '\n'); last >= 0 {
			begins = at + last + 1
		}
		at = s.from
		one := t.leak(s, line, s.from-begins+1)
		end = max(end, s.to)
		if last := len(found) - 1; last >= 0 && found[last].Finding.Line == line {
			one.Value = found[last].Value + "\x00" + one.Value
			if one.rank() <= found[last].rank() {
				found[last].Value = one.Value
				continue
			}
			found[last] = one
			continue
		}
		found = append(found, one)
	}
	return found
}

// fix says that nobody can accept it.
func (l *Leak) fix() {
	l.Fixed, l.Finding.Severity, l.Finding.Blocking = true, hybridcore.Error, true
}

// rank orders the findings of one line.
func (l Leak) rank() int {
	switch {
	case l.Fixed:
		return 2
	case l.Finding.Blocking:
		return 1
	}
	return 0
}

// leak is the finding about a span of the file.
func (t *file) leak(s span, line, column int) Leak {
	f := hybridcore.Finding{
		Kind: Kind, Rule: Rule, Subject: t.name, File: t.name, Line: line, Column: column,
		Severity: hybridcore.Error, Blocking: true,
	}
	what := s.what
	if s.prefix != "" {
		what += " (" + s.prefix + "…)"
	}
	f.Message = hclfile.Printable(what + " stands in plain text")
	f.Hint = "remove it, change it where it is used, since it may be in the history, and export PKR_VAR_NAME instead"
	if s.guess {
		f.Severity, f.Blocking = hybridcore.Warning, false
		f.Hint = "if it is a secret, " + f.Hint
	}
	return Leak{Finding: f, Value: string(t.content[s.from:s.to]), Fixed: s.fixed}
}

// vaultPassword finds the password of Ansible Vault in a file of its own.
func vaultPassword(t *file) []span {
	if !vaultFile.MatchString(t.name) || bytes.HasPrefix(t.content, []byte("#!")) || t.encrypted() {
		return nil
	}
	from, to, ok := trimmed(t.content, 0, lineEnd(t.content, 0))
	if !ok || !literal(string(t.content[from:to])) {
		return nil
	}
	return []span{{from: from, to: to, what: "the password of Ansible Vault"}}
}
