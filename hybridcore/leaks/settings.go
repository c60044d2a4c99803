// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:10:48Z
// Spec: openspec/specs/leaks/spec.md#requirement-settings-that-name-a-secret
// Diagram: openspec/specs/leaks/diagram.md#one-file

package leaks

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/shape"
)

// settings finds what is set to settings that name a secret, and what looks random.
func settings(t *file) []span {
	if t.form == source || t.example || t.encrypted() {
		return nil
	}
	s := setting{file: t}
	for at := 0; at < len(t.content); {
		if !isName(t.content[at]) {
			at++
			continue
		}
		end := at
		for end < len(t.content) && isName(t.content[end]) {
			end++
		}
		s.name(at, end)
		at = end
	}
	return s.found
}

// setting is the search of one file.
type setting struct {
	file     *file
	variable string // of the block of HCL that was last opened
	found    []span
}

// maxValue bounds a value, in bytes, so that a long line is not read again for each name in it.
const maxValue = 4 << 10

// isName says whether a byte is one of names of settings.
func isName(b byte) bool {
	return shape.Alnum[b] || b == '_' || b == '-' || b == '.' || b == '$'
}

// name looks at a name and what is set to it.
func (s *setting) name(at, end int) {
	name := string(s.file.content[at:min(end, at+101)])
	if s.file.form == hclForm && name == "variable" {
		s.variable = quotedAfter(s.file.content[end:])
	}
	asked := name
	if s.file.form == hclForm && name == "default" {
		asked = s.variable
	}
	isSecret := s.secret(asked, at)
	if s.file.form == yamlForm && name == "name" {
		s.pair(end)
		return
	}
	from, to, ok := s.value(at, end, isSecret)
	if !ok {
		return
	}
	value := string(s.file.content[from:to])
	one := span{from: from, to: to, what: "the secret " + asked}
	switch {
	case isSecret && s.plain(from, value):
	case isSecret:
		return
	case keyed(asked) && random(value) && !stands(value) && !publicName(asked) && !references.MatchString(value):
		one.what = "a random text of " + asked + ", which looks like a secret,"
	case veryRandom(value) && !stands(value) && !publicName(asked):
		one.what, one.guess = "a random text of "+asked+", which may be a secret,", true
	default:
		return
	}
	s.found = append(s.found, one)
}

// Lists of files and packages, as inventories have them: what is set to their names is a digest, as in the lines
// around, or mode and owner.
var (
	digest   = regexp.MustCompile(`^[0-9a-f]{64}$`)
	listLine = regexp.MustCompile(`^\s*"[^"]+": "[0-9a-f]{64}",?\s*$`)
	mode     = regexp.MustCompile(`^[0-7]{4} [a-z_][a-z0-9_-]*:[a-z_][a-z0-9_-]* `)
)

// listed says whether a value in JSON is one of such a list.
func listed(content []byte, at int, value string) bool {
	if mode.MatchString(value) {
		return true
	}
	begin := bytes.LastIndexByte(content[:at], '\n')
	if !digest.MatchString(value) || begin < 0 {
		return false
	}
	before := content[max(0, begin-maxValue):begin]
	before = before[bytes.LastIndexByte(before, '\n')+1:]
	after := content[lineEnd(content, at):]
	after = bytes.TrimPrefix(after, []byte("\n"))
	return listLine.Match(before) && listLine.Match(after[:lineEnd(after, 0)])
}

// secret says whether a name at a place is that of a secret, and not the end of a path.
func (s *setting) secret(name string, at int) bool {
	return secretName(name) && (s.file.form != jsonForm || at == 0 || s.file.content[at-1] != '/')
}

// plain says whether a value at a place is a secret in plain text, where its name is that of one.
func (s *setting) plain(at int, value string) bool {
	return literal(value) && !listed(s.file.content, at, value)
}

// publicWords are parts of names of what everybody may know although it looks random.
var publicWords = regexp.MustCompile(
	`(?i)(public|pub_?key|fingerprint|checksum|digest|sha(1|256|384|512)?(_|$)|integrity|` +
		`thumbprint|certificate|cert$|known_hosts|authorized|(^|_)(ca|gpg|hash)(_|$)|hostkey|host_key|sum$|etag|revision|commit)`)

func publicName(name string) bool { return publicWords.MatchString(name) }

// quotedAfter is the text in quotes after blanks, or an empty text.
func quotedAfter(text []byte) string {
	text = bytes.TrimLeft(text[:min(len(text), 200)], " \t")
	if len(text) == 0 || text[0] != '"' {
		return ""
	}
	name, _, _ := bytes.Cut(text[1:], []byte{'"'})
	return string(name)
}

// pairOf is a value that YAML sets to a name on the line before it.
var pairOf = regexp.MustCompile(`^[ \t]*["']?([A-Za-z0-9_.-]+)["']?[ \t]*\r?\n[ \t]*(?:value:[ \t]*)["']?([^\s"'#]+)`)

// pair looks at `name: DB_PASSWORD` with `value: …` in the next line.
func (s *setting) pair(end int) {
	rest := s.file.content[end:]
	if len(rest) == 0 || rest[0] != ':' {
		return
	}
	at := pairOf.FindSubmatchIndex(rest[1:min(len(rest), 1000)])
	if at == nil {
		return
	}
	name, value := string(rest[1+at[2]:1+at[3]]), string(rest[1+at[4]:1+at[5]])
	if secretName(name) && literal(value) {
		s.found = append(s.found, span{from: end + 1 + at[4], to: end + 1 + at[5], what: "the secret " + name})
	}
}

// value is what is set to the name between two places of the file.
func (s *setting) value(at, end int, isSecret bool) (from, to int, ok bool) {
	text := s.file.content
	i := end
	for _, closing := range []byte{'\'', '"', ']'} { // of a key in quotes, or in quotes and brackets
		if i < len(text) && text[i] == closing {
			i++
		}
	}
	bare := i == end
	if i = skip(text, i); i+1 >= len(text) {
		return 0, 0, false
	}
	width := s.operator(text[i], text[i+1])
	flag := isSecret && bare && i > end && s.file.form >= lines && isFlag(text, at)
	if width == 0 && !flag {
		return 0, 0, false
	}
	return s.text(skip(text, i+width), isSecret)
}

// operator is how many of two bytes set a value; 0 when they do not.
func (s *setting) operator(first, second byte) int {
	switch {
	case first == '=' && (second == '=' || second == '~'):
		return 0
	case first == '=' && second == '>', strings.IndexByte(":?+", first) >= 0 && second == '=':
		return 2
	case first == '=' && s.file.form != jsonForm:
		return 1
	case first == ':' && (s.file.form != yamlForm && s.file.form != lines || blank(second)):
		return 1
	}
	return 0
}

// isFlag says whether a name is one of a flag.
func isFlag(text []byte, at int) bool {
	return bytes.HasPrefix(text[at:], []byte("--")) && (at == 0 || blank(text[at-1]))
}

func blank(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// skip passes blanks.
func skip(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t') {
		i++
	}
	return i
}

// inner is a value one level further inside: {"default": "…"}, {"value": "…"}.
var inner = regexp.MustCompile(`^\{\s*"(?:type"\s*:\s*"[^"]*"\s*,\s*")?(?:default|value|defaultValue)"\s*:\s*"`)

// text is the extent of a value that begins at i, without its quotes.
func (s *setting) text(i int, isSecret bool) (from, to int, ok bool) {
	text := s.file.content
	if i >= len(text) {
		return 0, 0, false
	}
	b, form := text[i], s.file.form
	switch {
	case b == '"' || b == '\'':
		return inQuotes(text, i)
	case isSecret && (b == '{' && form == jsonForm || b == '[' && form != lines):
		return firstInside(text, i)
	case form == hclForm && bytes.HasPrefix(text[i:], []byte("<<")), form == yamlForm && (b == '|' || b == '>'):
		return nextLine(text, i)
	case form == yamlForm:
		return plainYAML(text, i)
	case form == lines, form == jsonForm && b >= '0' && b <= '9':
		return word(text, i)
	}
	return 0, 0, false
}

// firstInside is the value of an object or the first one of a list.
func firstInside(text []byte, i int) (from, to int, ok bool) {
	if text[i] == '{' {
		at := inner.FindIndex(text[i:min(len(text), i+1000)])
		if at == nil {
			return 0, 0, false
		}
		return inQuotes(text, i+at[1]-1)
	}
	if i = skip(text, i+1); i < len(text) && (text[i] == '"' || text[i] == '\'') {
		return inQuotes(text, i)
	}
	return 0, 0, false
}

// inQuotes is a text in quotes that end on the same line.
func inQuotes(text []byte, i int) (from, to int, ok bool) {
	quote := text[i]
	if bytes.HasPrefix(text[i:], []byte{quote, quote, quote}) {
		i += 2
	}
	for end, last := i+1, min(len(text), i+maxValue); end < last && text[end] != '\n'; end++ {
		switch {
		case text[end] == '\\' && quote == '"':
			end++
		case text[end] == quote:
			return i + 1, end, true
		}
	}
	return 0, 0, false
}

// nextLine is the line after the one of i, without blanks around it.
func nextLine(text []byte, i int) (from, to int, ok bool) {
	end := lineEnd(text, i)
	if end == len(text) || text[end] != '\n' {
		return 0, 0, false
	}
	return trimmed(text, end+1, lineEnd(text, end+1))
}

// lineEnd is the end of the line of i, or of as much as a value has.
func lineEnd(text []byte, i int) int {
	last := min(len(text), i+maxValue)
	if end := bytes.IndexByte(text[i:last], '\n'); end >= 0 {
		return i + end
	}
	return last
}

func trimmed(text []byte, from, to int) (int, int, bool) {
	for from < to && blank(text[from]) {
		from++
	}
	for to > from && blank(text[to-1]) {
		to--
	}
	return from, to, to > from
}

// plainYAML is a text without quotes, up to a comment or the end of the line. Text of many
// words is prose.
func plainYAML(text []byte, i int) (from, to int, ok bool) {
	end := lineEnd(text, i)
	for j := i; j < end; j++ {
		if text[j] == '#' && j > i && blank(text[j-1]) || text[j] == ',' || text[j] == '}' {
			end = j
		}
	}
	from, to, ok = trimmed(text, i, end)
	line := strings.TrimPrefix(string(text[from:to]), "!unsafe ")
	from = to - len(line)
	if strings.HasPrefix(line, "&") || strings.HasPrefix(line, "[") || strings.HasPrefix(line, "{") {
		return 0, 0, false
	}
	return from, to, ok && strings.Count(line, " ") < 4
}

// word is a text up to a blank, or to what ends a command.
func word(text []byte, i int) (from, to int, ok bool) {
	end := i
	for end < min(len(text), i+maxValue) && !blank(text[end]) && !bytes.ContainsRune([]byte(";&|)\"'`<"), rune(text[end])) {
		end++
	}
	return i, end, end > i
}
