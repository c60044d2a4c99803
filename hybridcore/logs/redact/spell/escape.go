// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:24Z
// Spec: openspec/specs/logs/spec.md#requirement-secrets-are-masked-in-every-form
// Diagram: openspec/specs/logs/diagram.md#redactor

package spell

import (
	"encoding/json"
	"fmt"
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// shellSafe are the characters that shells and Python's shlex leave as they are, beside letters and digits.
const shellSafe = "@%+=:,./-_"

// bashSpecial are the characters before which bash's `printf %q` puts a backslash.
const bashSpecial = " \t'\"\\|&;()<>!{}*[]?^$`,"

// quotes are the spellings of a text that are searched for as they are: what they write cannot be told from other text.
var quotes = map[string]func(string) string{
	"packer":            strings.NewReplacer(",", packerComma, "\r", `\r`, "\n", `\n`).Replace,
	"packer-comma":      func(s string) string { return strings.ReplaceAll(s, ",", packerComma) },
	"sh-single":         func(s string) string { return strings.ReplaceAll(s, `'`, `'\''`) },
	"sh-single-dq":      func(s string) string { return strings.ReplaceAll(s, `'`, `'"'"'`) },
	"csv":               func(s string) string { return strings.ReplaceAll(s, `"`, `""`) },
	"powershell-single": func(s string) string { return strings.ReplaceAll(s, "'", "''") },
	"hcl":               strings.NewReplacer("${", "$${", "%{", "%%{").Replace,
	"plus":              func(s string) string { return strings.ReplaceAll(s, " ", "+") },
}

// escapes are the spellings that are undone where they stand, and are searched for only where something quoted them. Each
// is what one family of tools prints.
var escapes = map[string]func(string) string{
	"json":        func(s string) string { return jsonEscape(s, false) },
	"json-html":   func(s string) string { return jsonEscape(s, true) },
	"json-ascii":  func(s string) string { return asciiEscape(jsonEscape(s, false), `\u%04x`) },
	"json-slash":  func(s string) string { return strings.ReplaceAll(jsonEscape(s, false), "/", `\/`) },
	"json-dotnet": func(s string) string { return asciiEscape(dotnetReplacer.Replace(jsonEscape(s, false)), `\u%04X`) },
	"json-gson":   func(s string) string { return gsonReplacer.Replace(jsonEscape(s, false)) },
	"yaml":        yamlEscape,
	"go":          func(s string) string { return unquote(strconv.Quote(s)) },
	"go-ascii":    func(s string) string { return unquote(strconv.QuoteToASCII(s)) },
	"sh-double":   func(s string) string { return backslash(s, "$`\"\\") },
	"sh-bash":     func(s string) string { return backslash(s, bashSpecial) },
	"sh-shlex":    func(s string) string { return backslashUnsafe(s, shellSafe) },
	"sh-ansi":     strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace,
	"regexp":      func(s string) string { return backslashUnsafe(s, "") },
	"dollars":     func(s string) string { return strings.ReplaceAll(s, "$", "$$") },
	"html":        html.EscapeString,
	"xml-text":    strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace,
	"xml-quot":    strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace,
	"url":         func(s string) string { return percent(s, "!'()*", "%%%02X") },
	"url-lower":   func(s string) string { return percent(s, "!'()*", "%%%02x") },
	"uri":         func(s string) string { return percent(s, ";,/?:@&=+$#!'()*", "%%%02X") },
	"uri-lower":   func(s string) string { return percent(s, ";,/?:@&=+$#!'()*", "%%%02x") },
}

// packerComma is what Packer's machine-readable stream has for a comma (packer/ui.go, MachineReadableUi.Machine).
const packerComma = "%!(PACKER_COMMA)"

// dotnetReplacer and gsonReplacer turn JSON into what System.Text.Json and Gson write, which may stand in web pages.
var (
	dotnetReplacer = strings.NewReplacer(`\\`, `\\`, `\"`, `\u0022`, "'", `\u0027`, "&", `\u0026`, "<", `\u003C`, ">",
		`\u003E`,
		"+", `\u002B`, "`", `\u0060`)
	gsonReplacer = strings.NewReplacer(`\\`, `\\`, "'", `\u0027`, "&", `\u0026`, "<", `\u003c`, ">", `\u003e`, "=", `\u003d`)
)

// percent writes all bytes in a format but letters, digits, "-_.~" and those in keep.
func percent(s, keep, format string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; isAlnum(c) || strings.IndexByte("-_.~", c) >= 0 || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, format, c)
		}
	}
	return b.String()
}

// jsonEscape returns the inside of the JSON string.
func jsonEscape(s string, escapeHTML bool) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(escapeHTML)
	if err := enc.Encode(s); err != nil {
		return s // cannot happen: every string has a JSON form
	}
	return unquote(strings.TrimSuffix(b.String(), "\n"))
}

// unquote drops the first and the last byte.
func unquote(s string) string { return s[1 : len(s)-1] }

// asciiEscape writes the units of non-ASCII characters in a format, surrogate pairs included, as Python's json does.
func asciiEscape(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, format, unit)
		}
	}
	return b.String()
}

// backslash puts a backslash before each of the special bytes.
func backslash(s, special string) string {
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(special, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// backslashUnsafe puts a backslash before every ASCII byte that is no letter or digit, but for those that are safe.
func backslashUnsafe(s, safe string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < utf8.RuneSelf && !isAlnum(c) && strings.IndexByte(safe, c) < 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// isAlnum reports whether c is an ASCII letter or digit.
func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// yamlEscape writes a text as YAML does in double quotes, where what is not ASCII is written by its number.
func yamlEscape(s string) string {
	var b strings.Builder
	for _, r := range jsonEscape(s, false) {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02X`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			fmt.Fprintf(&b, `\U%08X`, r)
		}
	}
	return b.String()
}
