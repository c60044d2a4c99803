// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:45:00Z
// Spec: openspec/specs/values/spec.md#requirement-command-grammar
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package hybridcore

import (
	"regexp"
	"strings"
)

var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// CheckName refuses a name that is not made of 1 to 64 lower-case letters,
// digits, dots, hyphens and underscores: such names are safe in paths, VM names
// and command lines. A name with ".." is refused too.
func CheckName(what, name string) error {
	if !nameRule.MatchString(name) || strings.Contains(name, "..") {
		return Usagef("%s %.80q is not a name: use 1 to 64 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit",
			what, name)
	}
	return nil
}

// maxRevision bounds the name of a commit, in bytes. Git itself has no limit;
// file systems take 255 of them.
const maxRevision = 200

// IsObjectID says whether a text is the full object ID of a commit, SHA-1 or
// SHA-256, as Git writes it.
func IsObjectID(text string) bool {
	return (len(text) == 40 || len(text) == 64) && strings.Trim(text, "0123456789abcdef") == ""
}

var revisionRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/~^+-]*$`)

// CheckRevision refuses what is not plainly a commit, branch or tag, perhaps
// with ~ and ^, or one of these followed by three dots: its merge base with HEAD.
func CheckRevision(rev string) error {
	name := strings.TrimSuffix(rev, "...")
	if len(rev) > maxRevision || !revisionRule.MatchString(name) || strings.Contains(name, "..") {
		return Usagef("%.80q names no commit: give a commit, branch or tag, or one with \"...\" for its merge base with HEAD",
			rev)
	}
	return nil
}
