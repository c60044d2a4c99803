// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:58:03Z
// Spec: openspec/specs/hclfile/spec.md#requirement-places-and-lines-in-errors
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

package hclfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// MaxFindings is how many problems of one file are listed: what follows the
// first ones is mostly their echo.
const MaxFindings = 20

// maxScanned is the longest line, in bytes, that is searched for a secret, and
// maxLookBack the number of lines above it.
const (
	maxScanned  = 4096
	maxLookBack = 200
)

// maxSource is the longest source line that a finding shows, in characters.
const maxSource = 160

var (
	secretLine = regexp.MustCompile(`(?i)passw|passphrase|secret|token|private|credential|api_?key|access_?key|BEGIN `)
	secretName = regexp.MustCompile(
		`(?i)(^|_)(password|passwd|passphrase|secret|secret_id|client_secret|token|private_key|api_key|access_key|password_encrypted|password_hash)$`)
	assignment = regexp.MustCompile(`^\s*"?([A-Za-z_][A-Za-z0-9_-]*)"?\s*[=:]`)
)

// SecretName says whether the value of a variable of that name is a secret, by
// its last words: token_ttl or private_key_file are none.
func SecretName(name string) bool {
	lower := strings.ToLower(name)
	for _, part := range []string{"pass", "secret", "token", "key"} { // what every match holds, at a hundredth of its cost
		if strings.Contains(lower, part) {
			return secretName.MatchString(name)
		}
	}
	return false
}

// placeholder matches what people write to be replaced.
var placeholder = regexp.MustCompile(
	`(?i)^(<.*>|\{\{.*\}\}|x{3,}|\*{3,}|\.{3}|(please[-_ ])?(change|replace|fill|set)[-_ ]?(me|this|in)|placeholder|todo|tbd|redacted|sensitive|your[-_ ].*)$`)

// Placeholder says whether a text only stands for one to come.
func Placeholder(text string) bool { return placeholder.MatchString(strings.TrimSpace(text)) }

// Finding makes a blocking finding at a place of the file, with the line
// itself unless it may hold a secret.
func (f *File) Finding(kind string, at hcl.Range, message, hint string) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: kind, Subject: f.Path, Message: Printable(message), Hint: Printable(hint), File: f.Path,
		Line: at.Start.Line, Column: at.Start.Column, Source: f.line(at.Start.Line),
		Severity: hybridcore.Error, Blocking: true,
	}
}

// Diagnostics turns the errors of the parser into findings.
func (f *File) Diagnostics(diags hcl.Diagnostics) []hybridcore.Finding {
	var findings []hybridcore.Finding
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		if len(findings) == MaxFindings {
			more := f.Finding(hybridcore.KindSyntax, hcl.Range{},
				fmt.Sprintf("more than %d problems; the rest is not listed", MaxFindings), "fix the first ones and run again")
			return append(findings, more)
		}
		at := hcl.Range{}
		if d.Subject != nil {
			at = *d.Subject
		}
		detail, hint := splitDetail(d.Detail)
		message := strings.TrimSuffix(d.Summary, ".")
		if detail != "" {
			message += ": " + detail
		}
		findings = append(findings, f.Finding(hybridcore.KindSyntax, at, message, hint))
	}
	return findings
}

// splitDetail takes the first sentence of a diagnostic's detail as its message
// and the others, which are advice, as its hint.
func splitDetail(detail string) (string, string) {
	detail = strings.Join(strings.Fields(detail), " ")
	first, rest, found := strings.Cut(detail, ". ")
	if !found {
		return strings.TrimSuffix(detail, "."), ""
	}
	return first, strings.TrimSuffix(rest, ".")
}

// line returns one line of the source for a report, or an empty text when it,
// or the assignment that it continues, looks like a secret, or when it is too
// long to be told.
func (f *File) line(number int) string {
	lines := bytes.SplitN(f.Source, []byte("\n"), number+1)
	if number < 1 || number > len(lines) || len(lines[number-1]) > maxScanned || secretLine.Match(lines[number-1]) {
		return ""
	}
	if number > 1 && f.continuesSecret(lines[:number]) {
		return ""
	}
	text := []rune(strings.TrimSpace(Printable(string(lines[number-1]))))
	if len(text) > maxSource {
		text = append(text[:maxSource], '…')
	}
	return string(text)
}

// continuesSecret says whether the last of the lines belongs to an assignment
// to a name like that of a secret, or to one so far above that nobody knows.
func (f *File) continuesSecret(lines [][]byte) bool {
	for i := len(lines) - 1; i >= max(0, len(lines)-maxLookBack); i-- {
		if len(lines[i]) > maxScanned || bytes.Contains(lines[i], []byte("PRIVATE KEY-----")) {
			return true
		}
		if m := assignment.FindSubmatch(lines[i]); m != nil {
			return secretLine.Match(m[1])
		}
	}
	return len(lines) > maxLookBack
}

// Printable replaces what a terminal could take as a command: control and
// invisible formatting characters, as \u escapes. Tabs become blanks.
func Printable(text string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case r == '\t' || r == '\r':
			b.WriteByte(' ')
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			fmt.Fprintf(&b, "\\u%04x", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Findings turns any error of this package into findings, so that the problems
// of many files can be joined. A nil error gives none.
func Findings(path string, err error) []hybridcore.Finding {
	var carried *hybridcore.FindingsError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &carried):
		return carried.Findings
	}
	message := err.Error()
	if errors.Is(err, fs.ErrNotExist) {
		message = "the file does not exist"
	}
	return []hybridcore.Finding{{
		Kind: hybridcore.KindSyntax, Subject: path, File: path, Message: Printable(message),
		Severity: hybridcore.Error, Blocking: true,
	}}
}
