// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:24Z
// Spec: openspec/specs/logs/spec.md#requirement-secrets-are-masked-in-every-form
// Diagram: openspec/specs/logs/diagram.md#redactor

package logs

import (
	"encoding/json"
	"fmt"
	"html"
	"strconv"
	"strings"
	"unicode/utf8"
)

// shellSafe are the characters that shells and Python's shlex leave as they are, beside letters and digits.
const shellSafe = "@%+=:,./-_"

// bashSpecial are the characters before which bash's `printf %q` puts a backslash.
const bashSpecial = " \t'\"\\|&;()<>!{}*[]?^$`,"

// escapes are the spellings of a text that stay text. Each is what one family of tools prints.
var escapes = map[string]func(string) string{
	"json":         func(s string) string { return jsonEscape(s, false) },
	"json-html":    func(s string) string { return jsonEscape(s, true) },
	"json-ascii":   func(s string) string { return asciiEscape(jsonEscape(s, false)) },
	"json-slash":   func(s string) string { return strings.ReplaceAll(jsonEscape(s, false), "/", `\/`) },
	"go":           func(s string) string { return unquote(strconv.Quote(s)) },
	"go-ascii":     func(s string) string { return unquote(strconv.QuoteToASCII(s)) },
	"packer":       packerReplacer.Replace,
	"sh-single":    func(s string) string { return strings.ReplaceAll(s, `'`, `'\''`) },
	"sh-single-dq": func(s string) string { return strings.ReplaceAll(s, `'`, `'"'"'`) },
	"sh-double":    func(s string) string { return backslash(s, "$`\"\\") },
	"sh-bash":      func(s string) string { return backslash(s, bashSpecial) },
	"sh-all":       backslashUnsafe,
	"sh-ansi":      strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace,
	"html":         html.EscapeString,
	"xml-text":     strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace,
	"xml-named":    strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace,
	"xml-hex":      strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;").Replace,
	"xml-quot":     strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace,
	"xml-go": strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;",
		"\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;").Replace,
	"powershell":        strings.NewReplacer("$", "`$", `"`, "`\"", "`", "``", "'", "`'").Replace,
	"powershell-double": strings.NewReplacer("$", "`$", `"`, "`\"", "`", "``", "\n", "`n", "\r", "`r", "\t", "`t").Replace,
	"powershell-single": func(s string) string { return strings.ReplaceAll(s, "'", "''") },
	"url-query":         func(s string) string { return percent(s, "", true) },
	"url-strict":        func(s string) string { return percent(s, "", false) },
	"url-path":          func(s string) string { return percent(s, "$&+=:@", false) },
	"url-userinfo":      func(s string) string { return percent(s, "$&+,;=", false) },
	"url-slash":         func(s string) string { return percent(s, "/", false) },
	"url-component":     func(s string) string { return percent(s, "!'()*", false) },
	"url-whole":         func(s string) string { return percent(s, ";,/?:@&=+$#!'()*", false) },
}

// nestings are pairs of escapes, inner first, that the tools of a build really stack: JSON logged as JSON, a shell command
// in Packer's machine-readable stream, and so on.
var nestings = [][2]string{
	{"json", "json"},
	{"json-html", "json"},
	{"json", "packer"},
	{"json", "sh-single"},
	{"packer", "json"},
	{"packer", "go"},
	{"go", "json"},
	{"go", "packer"},
	{"sh-single", "json"},
	{"sh-single", "packer"},
	{"sh-single-dq", "json"},
	{"sh-double", "json"},
	{"sh-double", "packer"},
	{"sh-all", "json"},
	{"sh-bash", "json"},
	{"sh-ansi", "json"},
	{"xml-text", "json"},
	{"xml-quot", "json"},
	{"powershell", "json"},
	{"powershell", "packer"},
	{"powershell-single", "json"},
	{"url-strict", "url-strict"},
	{"url-query", "url-query"},
}

// hexDigits are the digits of percent escapes (RFC 3986 section 2.1 asks for capitals).
const hexDigits = "0123456789ABCDEF"

// packerReplacer writes a field of Packer's machine-readable stream (packer/ui.go, MachineReadableUi.Machine).
var packerReplacer = strings.NewReplacer(",", "%!(PACKER_COMMA)", "\r", `\r`, "\n", `\n`)

// lowerHex returns the text with its percent escapes in lower case.
func lowerHex(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i:], strings.ToLower(string(b[i:i+3])))
			i += 2
		}
	}
	return string(b)
}

// percent escapes all bytes but letters, digits, "-_.~" and those in keep; with plus a space becomes "+".
func percent(s, keep string, plus bool) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case isAlnum(c) || strings.IndexByte("-_.~", c) >= 0 || strings.IndexByte(keep, c) >= 0:
			b.WriteByte(c)
		case c == ' ' && plus:
			b.WriteByte('+')
		default:
			b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
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

// asciiEscape writes non-ASCII characters as \uXXXX, surrogate pairs included, as Python's json does.
func asciiEscape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xD800+(r>>10), 0xDC00+(r&0x3FF))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
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

// backslashUnsafe puts a backslash before every ASCII byte that a shell might interpret.
func backslashUnsafe(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < utf8.RuneSelf && !isAlnum(c) && strings.IndexByte(shellSafe, c) < 0 {
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
