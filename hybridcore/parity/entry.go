// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:20:00Z
// Spec: openspec/specs/parity/spec.md#requirement-normalisation
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"regexp"
	"strings"
)

const (
	notRead = "not read: "  // begins what is said of a file that the guest could not read
	changed = ", changed, " // stands in what is said of a file that is not as its package brought it
)

// Entry is one fact about a guest. Two entries with the same key are the same
// fact when value and qualifier are equal.
type Entry struct {
	Key       string
	Value     string
	Qualifier string // a package's architecture
	// Content is the digest of what a package brings, by its database; only
	// formats that say what was compared of the files have it.
	Content string
	// Package is the one that a file belongs to.
	Package string
}

// is says whether two entries with one key are the same fact, with what
// packages bring or without. What could not be read is the same as nothing.
func (e *Entry) is(other *Entry, contents bool) bool {
	return e.Value == other.Value && e.Qualifier == other.Qualifier &&
		(!contents || e.Content == other.Content) && !e.unread()
}

func (e *Entry) content() string {
	if e.Content == "" {
		return "nothing that its database has a digest of"
	}
	return "sha256:" + e.Content
}

// unread says whether the guest lists a file that it could not read.
func (e *Entry) unread() bool { return strings.HasPrefix(e.Value, notRead) }

// brought says whether a package alone brings the file: it is as its database
// has it, so that whoever has the package has the file.
func (e *Entry) brought() bool { return e.Package != "" && brought(e.Package, e.Value) }

// text is the entry's value for people; it is never empty.
func (e Entry) text() string {
	switch {
	case e.Qualifier != "":
		return e.Value + " (" + e.Qualifier + ")"
	case e.Value == "":
		return `""`
	default:
		return e.Value
	}
}

// brought says whether a package brings a file of which a guest says that.
func brought(name, value string) bool {
	return name != "" && !strings.Contains(value, changed) && !strings.HasSuffix(value, " missing") &&
		!strings.HasPrefix(value, notRead)
}

// packageOf is the package that the file of a difference belongs to, if only
// one has it.
func packageOf(was, now *Entry) string {
	switch {
	case was == nil:
		return now.Package
	case now == nil || now.Package == "" || now.Package == was.Package:
		return was.Package
	case was.Package == "":
		return now.Package
	default:
		return ""
	}
}

var ofPackage = regexp.MustCompile(`^((?:[0-7]{4} )?[^ :]+:[^ :]+ |)of (\S+) (.*)$`)

// owner takes what a guest says of a file apart: MODE OWNER:GROUP [of PACKAGE]
// CONTENT, in which a link has no mode and what is missing only a package.
func owner(text string) (string, string) {
	parts := ofPackage.FindStringSubmatch(text)
	if parts == nil {
		return "", text
	}
	before, name, content := parts[1], parts[2], parts[3]
	if strings.Contains(content, "sha256:") && !strings.HasPrefix(content, "link ") {
		return name, before + "of " + name + changed + content
	}
	return name, text
}
