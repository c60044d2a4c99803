// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:22:23Z
// Spec: openspec/specs/logs/spec.md#requirement-secrets-are-masked-in-every-form
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// canaries are values with everything that some encoding treats specially.
var canaries = map[string]string{
	"letters":   "k4rpfenTeich",
	"marks":     `p@ss, w"o'r\d$x` + "`<&>%{}[]()!;|*?~#^=+/:",
	"regex":     `a.*b(c|d)+[e]{2}^$`,
	"unicode":   "Schlüssel-日本-🔑-ключ",
	"six":       "s3cr3t",
	"slashes":   "AB+/cd//ef++gh==",
	"multiline": "first-secret-line\nsecond \"secret\" line\nthird,secret,line",
	"json":      `{"client_secret":"q8~Xy.z_1","tenant":"t"}`,
	"long":      strings.Repeat("long-secret-with-64-bytes-or-more-", 6),
}

// encoders are written with the standard library's own encoders, not with those of the redactor, as far as it has any.
var encoders = map[string]func(string) string{
	"plain":    func(s string) string { return s },
	"crlf":     func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
	"query":    url.QueryEscape,
	"path":     url.PathEscape,
	"userinfo": func(s string) string { return url.UserPassword("u", s).String() },
	"percent lower": func(s string) string {
		return strings.NewReplacer("%2B", "%2b", "%2F", "%2f", "%3A", "%3a", "%3D", "%3d", "%2C", "%2c", "%3B", "%3b", "%3C", "%3c", "%3E", "%3e",
			"%3F", "%3f", "%5B", "%5b", "%5C", "%5c", "%5D", "%5d", "%5E", "%5e", "%7B", "%7b", "%7C", "%7c", "%7D", "%7d", "%2A", "%2a",
			"%C3", "%c3", "%BC", "%bc", "%0A", "%0a").Replace(asciiOnly(url.QueryEscape(s), s))
	},
	"json":              func(s string) string { return encodeJSON(s, false) },
	"json html":         func(s string) string { return encodeJSON(s, true) },
	"json in json":      func(s string) string { return encodeJSON(encodeJSON(s, false), false) },
	"json html in json": func(s string) string { return encodeJSON(encodeJSON(s, true), true) },
	"go quote":          strconv.Quote,
	"go ascii":          strconv.QuoteToASCII,
	"go map":            func(s string) string { return fmt.Sprintf("%q", map[string][]string{"k": {s}}) },
	"html":              html.EscapeString,
	"xml":               func(s string) string { var b bytes.Buffer; _ = xml.EscapeText(&b, []byte(s)); return b.String() },
	"hex":               func(s string) string { return hex.EncodeToString([]byte(s)) },
	"hex upper":         func(s string) string { return fmt.Sprintf("%X", s) },
	"base64":            func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 url":        func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) },
	"base64 raw":        func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) },
	"base64 shift 1":    func(s string) string { return base64.StdEncoding.EncodeToString([]byte("x" + s + "yz")) },
	"base64 shift 2":    func(s string) string { return base64.StdEncoding.EncodeToString([]byte("ux" + s + "y")) },
	"base64 user:pw":    func(s string) string { return base64.URLEncoding.EncodeToString([]byte("user:" + s)) },
	"powershell base64": func(s string) string { return base64.StdEncoding.EncodeToString(wide("'" + s + "'")) },
	"utf-16":            func(s string) string { return string(wide(s)) },
	"shell":             func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" },
	"shlex":             func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'" },
	"shell double": func(s string) string {
		return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(s)
	},
	"shell in json":     func(s string) string { return encodeJSON("'"+strings.ReplaceAll(s, "'", `'\''`)+"'", false) },
	"packer":            func(s string) string { return packer(s) },
	"json in packer":    func(s string) string { return packer(encodeJSON(s, false)) },
	"powershell single": func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" },
	"powershell": func(s string) string {
		return strings.NewReplacer("$", "`$", `"`, "`\"", "`", "``", "'", "`'").Replace(s)
	},
	"logged": func(s string) string { return "x" + s + s + "x" },
}

// encodeJSON returns the JSON string.
func encodeJSON(s string, escape bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(escape)
	_ = enc.Encode(s)
	return strings.TrimSpace(b.String())
}

// packer escapes like PackerUI.Machine.
func packer(s string) string {
	s = strings.ReplaceAll(s, ",", "%!(PACKER_COMMA)")
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r", `\r`), "\n", `\n`)
}

// wide returns UTF-16LE.
func wide(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return b
}

// asciiOnly returns escaped for ASCII values and the value itself otherwise: mixed letter case in one escape is nobody's form.
func asciiOnly(escaped, value string) string {
	if strings.ContainsAny(value, "Sü") {
		return value
	}
	return escaped
}

func TestEveryFormIsMasked(t *testing.T) {
	for name, value := range canaries {
		r, warnings := New(Secret{Name: name, Value: value + "\n"})
		if len(warnings) > 0 {
			t.Fatal(warnings)
		}
		for form, encode := range encoders {
			text := "before " + encode(value) + " after"
			got := r.String(text)
			if !strings.Contains(got, "<sensitive:"+name+">") {
				t.Errorf("%s as %s: not masked: %q", name, form, got)
			}
			rest := strings.ReplaceAll(got, "<sensitive:"+name+">", "")
			if limit := len("before  after") + 30; len(rest) > limit { // 30: quotes, and the neighbours in Base64
				t.Errorf("%s as %s: %d bytes left: %q", name, form, len(rest), got)
			}
		}
	}
}

// TestBashQuotesAreMasked asks the real shell for its spellings.
func TestBashQuotesAreMasked(t *testing.T) {
	for name, value := range canaries {
		if name == "unicode" {
			continue // depends on the locale
		}
		r, _ := New(Secret{name, value})
		for _, script := range []string{`printf %q "$1"`, `echo "${1@Q}"`, `set -x; : "$1"`, `printf %s "$1" | base64`, `printf %s "$1" | base64 -w 64`, `declare -p 1 2>&1; v=$1; declare -p v`} {
			out, err := exec.Command("bash", "-c", script, "bash", value).CombinedOutput()
			if err != nil && !strings.Contains(script, "declare") {
				t.Fatalf("%s: %v", script, err)
			}
			got := r.String(string(out))
			if !strings.Contains(got, "<sensitive:") || len(strings.ReplaceAll(got, "<sensitive:"+name+">", "")) > 90 {
				t.Errorf("%s by %s: %q", name, script, got)
			}
		}
	}
}

func TestMultiLineValueIsMaskedLineByLine(t *testing.T) {
	value := canaries["multiline"]
	r, _ := New(Secret{"KEY", value})
	got := r.String("==> x: first-secret-line\n==> x: second \"secret\" line\r\n==> x:   third%!(PACKER_COMMA)secret%!(PACKER_COMMA)line\n")
	want := "==> x: <sensitive:KEY>\n==> x: <sensitive:KEY>\r\n==> x:   <sensitive:KEY>\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOverlapsAndPrefixes(t *testing.T) {
	r, _ := New(Secret{"SHORT", "abcdef"}, Secret{"LONG", "abcdefghij"}, Secret{"TAIL", "ghijklm"}, Secret{"SAME", "abcdef"})
	for text, want := range map[string]string{
		"abcdef":                    "<sensitive:SHORT>",
		"abcdefghij":                "<sensitive:LONG>",
		"abcdefghijklm!":            "<sensitive:LONG>!",
		"xghijklmx":                 "x<sensitive:TAIL>x",
		"abcdefabcdef":              "<sensitive:SHORT>",
		"abcdefghijklmabcdef abcde": "<sensitive:LONG><sensitive:SHORT> abcde",
	} {
		if got := r.String(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestShortAndEmptyValues(t *testing.T) {
	r, warnings := New(Secret{"PIN", "12345"}, Secret{"TWO", "ia"}, Secret{"EMPTY", " \n"}, Secret{"OK", "123456"})
	want := []string{"PIN: value has 5 characters and is not masked: use at least 6", "TWO: value has 2 characters and is not masked: use at least 6"}
	var got []string
	for _, w := range warnings {
		got = append(got, w.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := r.String("12345 variables 123456"); got != "12345 variables <sensitive:OK>" {
		t.Errorf("got %q", got)
	}
}

func TestLongValueIsMaskedByLines(t *testing.T) {
	value := strings.Repeat("line-of-a-large-value\n", 4000)
	r, warnings := New(Secret{"BIG", value})
	if len(warnings) != 1 || !strings.Contains(warnings[0].Reason, "only its lines") {
		t.Errorf("warnings %v", warnings)
	}
	if got := r.String("x line-of-a-large-value"); got != "x <sensitive:BIG>" {
		t.Errorf("got %q", got)
	}
}

func TestMarkIsInert(t *testing.T) {
	r, _ := New(Secret{"a\",b\\c\nd", "hunter2hunter2"}, Secret{"", "hunter3hunter3"})
	if got := r.String("hunter2hunter2 hunter3hunter3"); got != "<sensitive:a__b_c_d> <sensitive>" {
		t.Errorf("got %q", got)
	}
	once := r.String("Authorization: Bearer abcdefgh; https://u:hunter2hunter2@h/ ghp_" + strings.Repeat("a", 36))
	if twice := r.String(once); twice != once {
		t.Errorf("not idempotent: %q, then %q", once, twice)
	}
}

// TestPackerTextIsNotDecoded holds LOG-10, LOG-11 and LOG-13: text that looks like an encoding or a record stays as it is.
func TestPackerTextIsNotDecoded(t *testing.T) {
	r, _ := New(Secret{"PW", "a,b\nc,d"})
	for _, text := range []string{"literal %!(PACKER_COMMA)", `literal \n and \\n`, "1795381756,x,artifact-count,1\n", "::error file=a::x\n"} {
		if got := r.String(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := r.String(`1795381756,,ui,say,pw a%!(PACKER_COMMA)b\nc%!(PACKER_COMMA)d`); got != "1795381756,,ui,say,pw <sensitive:PW>" {
		t.Errorf("got %q", got)
	}
}
