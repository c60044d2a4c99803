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
	"unicode/utf16"
	"unicode/utf8"
)

// shellSafe are the characters that shells and Python's shlex leave as they are, beside letters and digits.
const shellSafe = "@%+=:,./-_"

// bashSpecial are the characters before which bash's `printf %q` puts a backslash.
const bashSpecial = " \t'\"\\|&;()<>!{}*[]?^$`,"

// jsonEscapes are the spellings of a text that stay text, made of what Go's encoder writes of it for JSON. Each is what
// one family of tools prints.
var jsonEscapes = map[string]func(json string) string{
	"json":        func(json string) string { return json },
	"json-ascii":  func(json string) string { return asciiEscape(json, `\u%04x`) },
	"json-slash":  func(json string) string { return strings.ReplaceAll(json, "/", `\/`) },
	"json-dotnet": func(json string) string { return asciiEscape(dotnetReplacer.Replace(json), `\u%04X`) },
	"json-gson":   gsonReplacer.Replace,
	"hcl":         hclReplacer.Replace,
}

// escapes are the other spellings of a text that stay text.
var escapes = map[string]func(string) string{
	"json-html":    func(s string) string { return jsonEscape(s, true) },
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
	"html-template":     strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "+", "&#43;").Replace,
	"csv":               func(s string) string { return strings.ReplaceAll(s, `"`, `""`) },
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

// hexDigits are the digits of percent escapes (RFC 3986 section 2.1 asks for capitals).
const hexDigits = "0123456789ABCDEF"

// packerReplacer writes a field of Packer's machine-readable stream (packer/ui.go, MachineReadableUi.Machine).
var packerReplacer = strings.NewReplacer(",", "%!(PACKER_COMMA)", "\r", `\r`, "\n", `\n`)

// hclReplacer keeps a text inside a quoted string of HCL from being a template.
var hclReplacer = strings.NewReplacer("${", "$${", "%{", "%%{")

// dotnetReplacer and gsonReplacer turn JSON into what System.Text.Json and Gson write, which may stand in web pages.
var (
	dotnetReplacer = strings.NewReplacer(`\\`, `\\`, `\"`, `\u0022`, "'", `\u0027`, "&", `\u0026`, "<", `\u003C`, ">", `\u003E`,
		"+", `\u002B`, "`", `\u0060`)
	gsonReplacer = strings.NewReplacer(`\\`, `\\`, "'", `\u0027`, "&", `\u0026`, "<", `\u003c`, ">", `\u003e`, "=", `\u003d`)
)

// lowerHex returns the text with its percent escapes in lower case.
func lowerHex(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			b[i+1], b[i+2] = lower(b[i+1]), lower(b[i+2])
			i += 2
		}
	}
	return string(b)
}

// lower returns an ASCII letter in lower case, and any other byte as it is.
func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
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
