// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:59:00Z
// Spec: openspec/specs/logs/spec.md#requirement-no-run-of-a-secret-is-left
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"html"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/shape"
)

// encoding is a way to write a text in another, and to read it back from what a redactor left of it.
type encoding struct {
	name   string
	encode func(string) string
	decode func(string) []string
}

// textEncoding is an encoding that stays text. It is read back by what it makes of each character, so that gaps do no
// harm.
func textEncoding(name string, encode func(string) string) encoding {
	var pairs [][2]string
	for _, r := range "\n\r\t" + printable + "äöüß€日本🔑" {
		if e := encode(string(r)); e != string(r) {
			pairs = append(pairs, [2]string{e, string(r)})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return len(b[0]) - len(a[0]) })
	var list []string
	for _, p := range pairs {
		list = append(list, p[0], p[1])
	}
	back := strings.NewReplacer(list...)
	return encoding{name, encode, func(s string) []string { return []string{back.Replace(s)} }}
}

// printable are the printable characters of ASCII.
const printable = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

// marks are those of them that are no letters and digits.
const marks = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// number returns an encoding that writes characters of a set, and all that are not ASCII, by their numbers.
func number(name, set, format string) encoding {
	return textEncoding(name, func(s string) string {
		var b strings.Builder
		for _, r := range s {
			if r < 0x80 && !strings.ContainsRune(set, r) {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, format, r)
			}
		}
		return b.String()
	})
}

// numberBytes returns an encoding that writes each byte by its number. Formats are for odd and even bytes.
func numberBytes(name string, formats [2]string) encoding {
	return textEncoding(name, func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, formats[s[i]%2], s[i])
		}
		return b.String()
	})
}

// yamlEncoding is what YAML writes in double quotes, where non-ASCII is not kept.
func yamlEncoding() encoding {
	return textEncoding("yaml", func(s string) string {
		var b strings.Builder
		for _, r := range s {
			switch {
			case r == '"' || r == '\\':
				b.WriteString(`\` + string(r))
			case r == '\n':
				b.WriteString(`\n`)
			case r < 0x80:
				b.WriteRune(r)
			case r < 0x100:
				fmt.Fprintf(&b, `\x%02X`, r)
			case r < 0x10000:
				fmt.Fprintf(&b, `\u%04X`, r)
			default:
				fmt.Fprintf(&b, `\U%08X`, r)
			}
		}
		return b.String()
	})
}

// escapeEncodings are ways to write characters by their numbers, which programs do to some of them or to all.
func escapeEncodings() []encoding {
	return []encoding{
		number("html numbers", marks, "&#%d;"),
		number("html padded", marks, "&#%03d;"),
		number("html of all", printable, "&#%04d;"),
		number("html of all, hex", printable, "&#x%x;"),
		number("html of all, capitals", printable, "&#X%04X;"),
		number("braces", printable, `\u{%x}`),
		number("long", printable, `\U%08x`),
		numberBytes("shell lower", [2]string{`\x%02x`, `\x%02x`}),
		numberBytes("shell upper", [2]string{`\x%02X`, `\x%02X`}),
		numberBytes("octal", [2]string{`\%03o`, `\%03o`}),
		numberBytes("percent of all", [2]string{"%%%02x", "%%%02x"}),
		numberBytes("percent, mixed", [2]string{"%%%02x", "%%%02X"}),
		textEncoding("json of all", func(s string) string {
			var b strings.Builder
			for _, u := range utf16.Encode([]rune(s)) {
				fmt.Fprintf(&b, `\u%04x`, u)
			}
			return b.String()
		}),
		textEncoding("backslashes", each(marks, func(c byte) string { return `\` + string(c) })),
		textEncoding("dollars", each("$", func(byte) string { return "$$" })),
		yamlEncoding(),
	}
}

// packerEncoding is what Packer's machine-readable lines do. Packer writes a
// backslash as it is, so that \n can be a line end or two characters: both are read.
func packerEncoding() encoding {
	e := textEncoding("packer", packer)
	decode := e.decode
	e.decode = func(s string) []string {
		return append(decode(s), strings.ReplaceAll(s, packer(","), ","))
	}
	return e
}

// bare returns what an encoder puts between its quotes.
func bare(encode func(string) string) func(string) string {
	return func(s string) string { e := encode(s); return e[1 : len(e)-1] }
}

// each returns an encoder of single bytes.
func each(special string, encode func(byte) string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			if strings.IndexByte(special, s[i]) >= 0 {
				b.WriteString(encode(s[i]))
			} else {
				b.WriteByte(s[i])
			}
		}
		return b.String()
	}
}

// wrap returns an encoder to Base64 in lines.
func wrap(width int, end string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for code := base64.StdEncoding.EncodeToString([]byte(s)); code != ""; {
			n := min(width, len(code))
			b.WriteString(code[:n] + end)
			code = code[n:]
		}
		return b.String()
	}
}

// runsOf returns the longest stretches of a text without line ends that have only characters of an alphabet.
func runsOf(s, alphabet string) []string {
	s = strings.NewReplacer("\r", "", "\n", "").Replace(s)
	return strings.FieldsFunc(s, func(r rune) bool { return !strings.ContainsRune(alphabet, r) })
}

const codeAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"

// fromBase64 reads what is left of Base64, from each character on.
func fromBase64(s string) []string {
	var list []string
	for _, run := range runsOf(s, codeAlphabet) {
		run = strings.NewReplacer("-", "+", "_", "/").Replace(run)
		for at := range min(4, len(run)) {
			part := run[at:]
			if len(part)%4 == 1 {
				part = part[:len(part)-1]
			}
			if b, err := base64.RawStdEncoding.DecodeString(part); err == nil {
				list = append(list, string(b))
			}
		}
	}
	return list
}

// fromHex reads what is left of hexadecimal.
func fromHex(s string) []string {
	var list []string
	for _, run := range runsOf(s, "0123456789abcdefABCDEF") {
		for at := range min(2, len(run)) {
			if b, err := hex.DecodeString(run[at : at+(len(run)-at)/2*2]); err == nil {
				list = append(list, string(b))
			}
		}
	}
	return list
}

// fromWide reads what is left of UTF-16LE in Base64.
func fromWide(s string) []string {
	var list []string
	for _, b := range fromBase64(s) {
		for at := range min(2, len(b)) {
			var units []uint16
			for i := at; i+1 < len(b); i += 2 {
				units = append(units, uint16(b[i])|uint16(b[i+1])<<8)
			}
			list = append(list, string(utf16.Decode(units)))
		}
	}
	return list
}

// encodings are what programs on the way of a secret do to it.
func encodings() []encoding {
	list := []encoding{
		textEncoding("plain", func(s string) string { return s }),
		textEncoding("json", bare(func(s string) string { return encodeJSON(s, false) })),
		textEncoding("json html", bare(func(s string) string { return encodeJSON(s, true) })),
		textEncoding("json slash",
			bare(func(s string) string { return strings.ReplaceAll(encodeJSON(s, false), "/", `\/`) })),
		textEncoding("json ascii", bare(func(s string) string {
			var b strings.Builder
			for _, r := range encodeJSON(s, false) {
				if r < 0x80 {
					b.WriteRune(r)
					continue
				}
				for _, u := range utf16.Encode([]rune{r}) {
					fmt.Fprintf(&b, `\u%04x`, u)
				}
			}
			return b.String()
		})),
		textEncoding("go", bare(strconv.Quote)),
		textEncoding("go ascii", bare(strconv.QuoteToASCII)),
		textEncoding("query", url.QueryEscape),
		textEncoding("path", url.PathEscape),
		textEncoding("userinfo", func(s string) string { return strings.TrimPrefix(url.UserPassword("", s).String(), ":") }),
		textEncoding("percent lower", func(s string) string {
			var b strings.Builder
			for i := range len(s) {
				if c := s[i]; shape.Alnum[c] || strings.IndexByte("-_.~", c) >= 0 {
					b.WriteByte(c)
				} else {
					fmt.Fprintf(&b, "%%%02x", c)
				}
			}
			return b.String()
		}),
		textEncoding("html", html.EscapeString),
		textEncoding("html template", template.HTMLEscapeString),
		textEncoding("xml", func(s string) string {
			var b bytes.Buffer
			_ = xml.EscapeText(&b,
				[]byte(s))
			return b.String()
		}),
		packerEncoding(),
		textEncoding("shell single", each("'", func(byte) string { return `'\''` })),
		textEncoding("shlex", each("'", func(byte) string { return `'"'"'` })),
		textEncoding("shell double", each("$`\"\\", func(c byte) string { return `\` + string(c) })),
		textEncoding("bash q", each(" \t'\"\\|&;()<>!{}*[]?^$`,", func(c byte) string { return `\` + string(c) })),
		textEncoding("powershell", each("$\"`'", func(c byte) string { return "`" + string(c) })),
		textEncoding("powershell single", each("'", func(byte) string { return "''" })),
		textEncoding("csv", each(`"`, func(byte) string { return `""` })),
		{"hex", func(s string) string { return hex.EncodeToString([]byte(s)) }, fromHex},
		{"hex upper", func(s string) string { return fmt.Sprintf("%X", s) }, fromHex},
		{"base64 of utf-16", func(s string) string { return base64.StdEncoding.EncodeToString(wide(s)) }, fromWide},
	}
	list = append(list, escapeEncodings()...)
	for _, enc := range []*base64.Encoding{
		base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding,
		base64.RawURLEncoding,
	} {
		list = append(list, encoding{"base64", func(s string) string { return enc.EncodeToString([]byte(s)) }, fromBase64})
	}
	for _, width := range []int{64, 72, 76} {
		list = append(list,
			encoding{fmt.Sprint("base64 in lines of ", width), wrap(width, "\n"), fromBase64},
			encoding{fmt.Sprint("base64 in lines of ", width, ", CRLF"), wrap(width, "\r\n"), fromBase64})
	}
	return list
}
