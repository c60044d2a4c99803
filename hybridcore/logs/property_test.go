// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:18:06Z
// Spec: openspec/specs/logs/spec.md#requirement-no-run-of-a-secret-is-left
// Diagram: openspec/specs/logs/diagram.md#redactor

package logs

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"flag"
	"fmt"
	"html"
	"html/template"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

var seed = flag.Uint64("seed", 1, "of the samples of the property test; 0 takes one at random")

const (
	samples   = 100_000
	perGroup  = 250 // samples of one redactor
	leakRunes = 8   // of a secret that may not be seen together
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
	for _, r := range "\n\r\t !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~äöüß€日本🔑" {
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
		textEncoding("json slash", bare(func(s string) string { return strings.ReplaceAll(encodeJSON(s, false), "/", `\/`) })),
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
				if c := s[i]; isAlnum(c) || strings.IndexByte("-_.~", c) >= 0 {
					b.WriteByte(c)
				} else {
					fmt.Fprintf(&b, "%%%02x", c)
				}
			}
			return b.String()
		}),
		textEncoding("html", html.EscapeString),
		textEncoding("html template", template.HTMLEscapeString),
		textEncoding("xml", func(s string) string { var b bytes.Buffer; _ = xml.EscapeText(&b, []byte(s)); return b.String() }),
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
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
		list = append(list, encoding{"base64", func(s string) string { return enc.EncodeToString([]byte(s)) }, fromBase64})
	}
	for _, width := range []int{64, 72, 76} {
		list = append(list,
			encoding{fmt.Sprint("base64 in lines of ", width), wrap(width, "\n"), fromBase64},
			encoding{fmt.Sprint("base64 in lines of ", width, ", CRLF"), wrap(width, "\r\n"), fromBase64})
	}
	return list
}

// alphabets are what secrets are made of.
var alphabets = []string{
	"abcdefghijklmnopqrstuvwxyz0123456789",
	"0123456789abcdef",
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#%&/=?+@$,;:'\"<>",
	"abcdefghijklmnopqrstuvwxyz !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
	"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
	"abcdefghijklmnop\n\",'<",
	"abcdefäöüß€日本🔑&<'\"",
}

// draw returns n characters of an alphabet.
func draw(rnd *rand.Rand, alphabet string, n int) string {
	letters := []rune(alphabet)
	text := make([]rune, n)
	for i := range text {
		text[i] = letters[rnd.IntN(len(letters))]
	}
	return string(text)
}

// newSecret returns a secret of 8 to 40 characters, now and then of several hundred.
func newSecret(rnd *rand.Rand) string {
	n := leakRunes + rnd.IntN(33)
	if rnd.IntN(40) == 0 {
		n = 100 + rnd.IntN(900)
	}
	for {
		s := draw(rnd, alphabets[rnd.IntN(len(alphabets))], n)
		if s == strings.TrimSpace(s) {
			return s
		}
	}
}

// sample is a secret on its way.
type sample struct {
	secret       string
	inner, outer encoding
}

// text returns the encoded secret in the middle of other text.
func (s sample) text(rnd *rand.Rand) string {
	around := func() string { return draw(rnd, "zyxwv .:=", rnd.IntN(50)) }
	inside := around() + s.inner.encode(around()+s.secret+around()) + around()
	return around() + s.outer.encode(inside) + around() + "\n"
}

// leak returns characters of the secret that can be read from a text.
func (s sample) leak(text string) string {
	runes := []rune(s.secret)
	for _, outside := range s.outer.decode(text) {
		for _, inside := range s.inner.decode(outside) {
			for i := range len(runes) - leakRunes + 1 {
				if run := string(runes[i : i+leakRunes]); strings.Contains(inside, run) {
					return run
				}
			}
		}
	}
	return ""
}

// TestNoRunOfASecretIsLeft sends random secrets through two encodings and a writer in random pieces, and reads what
// comes out.
func TestNoRunOfASecretIsLeft(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("%d samples of -seed=%d", samples, *seed)
	for group := range uint64(samples / perGroup) {
		t.Run(fmt.Sprint(group), func(t *testing.T) {
			t.Parallel()
			testGroup(t, rand.New(rand.NewPCG(*seed, group)))
		})
	}
}

// testGroup tests samples with one redactor.
func testGroup(t *testing.T, rnd *rand.Rand) {
	t.Helper()
	secrets, list := make([]Secret, 10), encodings()
	for i := range secrets {
		secrets[i] = Secret{fmt.Sprint("S", i), newSecret(rnd)}
	}
	r, _ := NewRedactor(secrets...)
	for range perGroup {
		s := sample{secrets[rnd.IntN(len(secrets))].Value, list[rnd.IntN(len(list))], list[rnd.IntN(len(list))]}
		text := s.text(rnd)
		if s.leak(text) == "" {
			t.Fatalf("%q cannot be read from %s in %s: %q", s.secret, s.inner.name, s.outer.name, text)
		}
		out := chunked(t, r, []byte(text), []byte{byte(1 + rnd.IntN(255)), byte(rnd.IntN(40)), byte(rnd.IntN(9))})
		if run := s.leak(out); run != "" {
			t.Errorf("%q of %q is seen through %s in %s\n in  %q\n out %q", run, s.secret, s.inner.name, s.outer.name, text, out)
		}
	}
}
