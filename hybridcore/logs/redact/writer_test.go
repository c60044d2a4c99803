// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:13:37Z
// Spec: openspec/specs/logs/spec.md#requirement-masking-is-exact-across-chunk-borders
// Diagram: openspec/specs/logs/diagram.md#writer

package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/shape"
)

// chunked writes text in pieces of the sizes in turn.
func chunked(t *testing.T, r *Redactor, text []byte, sizes []byte) string {
	t.Helper()
	var out bytes.Buffer
	w := r.Writer(&out)
	for i := 0; len(text) > 0; i++ {
		n := 1
		if len(sizes) > 0 {
			n = min(len(text), int(sizes[i%len(sizes)]))
		}
		if got, err := w.Write(text[:n]); got != n || err != nil {
			t.Fatalf("Write = %d, %v", got, err)
		}
		text = text[n:]
		if n == 0 && !slices.ContainsFunc(sizes, func(b byte) bool { return b > 0 }) {
			sizes = nil
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// fuzzSecrets are values that overlap, contain each other, repeat, and have marks and lines.
var fuzzSecrets = []Secret{
	{"A", "abcabc"},
	{"B", "abcabcabcabcd"},
	{"C", "cabcab9"},
	{"D", "aaaaaa"},
	{"E", "p@ss,word\\\"'$<&>"},
	{"F", "first line\nsecond line 2\nthird"},
	{"G", "hunter2hunter2"},
	{"H", "-----BEGIN PRIVATE KEY-----\nMIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEAq7BFUpkGp3+\nLQmlQ\n-----END " +
		"PRIVATE KEY-----\n"},
}

// pieces are what random texts are made of: secrets in several spellings, anchors, and what stands around them.
func pieces(m *matcher) []string {
	list := []string{
		"a", "b", "c", "abc", "aaa", " ", "\n", "\r\n", "\\n", ",", ".", "@", ":", "/", "host", "user", "\"", "=", "Bearer ",
		"Digest x=",
		strings.Repeat("MIIB", 16), strings.Repeat("k9", 12), "-----END RSA PRIVATE KEY-----", "RSA PRIVATE KEY-----",
		"-----BEGIN CERTIFICATE-----",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "user:pa:ss@", "ABCDEFGHIJKLMNOP", "==> x: ", "<sensitive:A>", "\x00",
		"\xff", "é",
		`\`, `\\\`, `\u00`, `5c`, `\ud83d`, `\x`, `\{`, "&#", "x5C;", "&amp;", "%2", "%25", "$", "$$", "`", "41", "\\\\u0026#37;",
	}
	for _, s := range fuzzSecrets { // in codes, which are decoded
		for _, e := range encodings()[22:] {
			list = append(list, e.encode(s.Value), e.encode("a"+e.encode("bc "+s.Value)), e.encode(inJSON(s.Value)))
		}
	}
	return append(append(list, anchorTexts()...), m.forms...)
}

// inJSON is a text as it stands in a document.
func inJSON(s string) string {
	text, _ := json.Marshal(s) // a text can always be written
	return string(text[1 : len(text)-1])
}

func TestChunksEqualReference(t *testing.T) {
	r, _ := New(fuzzSecrets...)
	m := r.now.Load()
	list := pieces(m)
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		var text []byte
		for range 1 + rnd.IntN(60) {
			p := list[rnd.IntN(len(list))]
			switch rnd.IntN(5) { // a part, so that secrets begin and do not end, or end and did not begin
			case 0, 1:
				p = p[:rnd.IntN(len(p)+1)]
			case 2:
				p = p[rnd.IntN(len(p)+1):]
			}
			text = append(text, p...)
		}
		want := naive(m, text)
		if got := r.String(string(text)); got != want {
			t.Fatalf("seed %d: String\n text %q\n got  %q\n want %q", seed, text, got, want)
		}
		for _, sizes := range [][]byte{{1}, {2, 3}, {7}, {64, 1}, {byte(1 + rnd.IntN(255)), byte(rnd.IntN(20))}} {
			if got := chunked(t, r, text, sizes); got != want {
				t.Fatalf("seed %d, chunks %v\n text %q\n got  %q\n want %q", seed, sizes, text, got, want)
			}
		}
	}
}

// TestMatchIsNotPartedFromItsAnchor writes a URL in whose user another value may begin, which then does not go on.
func TestMatchIsNotPartedFromItsAnchor(t *testing.T) {
	r, _ := New(Secret{"OTHER", "er:hunter2@host and more"})
	var out bytes.Buffer
	w := r.Writer(&out)
	for _, piece := range []string{"https://user:hunter2@host an", "d less\n"} {
		if _, err := io.WriteString(w, piece); err != nil {
			t.Fatal(err)
		}
	}
	if want := "https://user:<sensitive:url-password>@host and less\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func FuzzRedactChunks(f *testing.F) {
	f.Add([]byte("token abcabcabcabcd at https://user:hunter2@host/"), []byte("abcabcabcabcd"), []byte{1, 2})
	f.Add([]byte("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln\n-----BEGIN RSA PRIVATE KEY-----\nx\n"), []byte("line one\nline two"), []byte{3})
	f.Add([]byte("Authorization: Bearer abcdefghijkl\r\nAKIAABCDEFGHIJKLMNOP ghp_0123456789012345678901234567890"), []byte("aaaaaaa"), []byte{9, 1})
	f.Add([]byte("c2VjcmV0LXZhbHVl %!(PACKER_COMMA) 7365637265742d76616c7565"), []byte("secret-value"), []byte{255})
	f.Add([]byte(`\\u0068unter\x32 &#x68;&#0117;nter2h%2575nter2 $$1$$ab`+"`$\\u0026amp;&bsol;n%5cn"), []byte(`hunter2\n`), []byte{5, 2})
	f.Fuzz(func(t *testing.T, text, value, sizes []byte) {
		if len(text) > 4<<10 || len(value) > 200 {
			return
		}
		r, _ := New(append([]Secret{{"V", string(value)}}, fuzzSecrets[:5]...)...)
		m := r.now.Load()
		want := naive(m, text)
		if got := string(r.Bytes(text)); got != want {
			t.Fatalf("Bytes\n text %q\n got  %q\n want %q", text, got, want)
		}
		if got := chunked(t, r, text, sizes); got != want {
			t.Fatalf("chunks %v\n text %q\n got  %q\n want %q", sizes, text, got, want)
		}
		for _, form := range m.forms {
			if strings.Contains(want, form) && !strings.Contains("<sensitive:ABCDEV>", form) && !joinsMark(want, form) {
				t.Fatalf("%q is in the output %q", form, want)
			}
		}
	})
}

// joinsMark reports whether every occurrence of form in out has a byte of a marker in it: it was not in the input.
func joinsMark(out, form string) bool {
	for i := 0; ; i++ {
		j := strings.Index(out[i:], form)
		if j < 0 {
			return true
		}
		i += j
		if around := out[max(0, i-20):min(len(out), i+len(form)+20)]; !strings.Contains(around, "<sensitive") {
			return false
		}
	}
}

func TestCompleteLinesAreNotHeldBack(t *testing.T) {
	r, _ := New(Secret{"PW", "correct horse"}, Secret{"KEY", strings.Repeat("0123456789abcdef\n", 200)})
	var out bytes.Buffer
	w := r.Writer(&out)
	for _, line := range []string{
		"==> x: starting\n", "password correct horse\n", "ends with c\n",
		"https://user:secret@host/x\n", "-----END\n",
	} {
		out.Reset()
		fmt.Fprint(w, line)
		if want := r.String(line); out.String() != want {
			t.Errorf("after %q the sink has %q, want %q", line, out.String(), want)
		}
	}
	out.Reset()
	fmt.Fprint(w, "prompt: corr")
	if out.String() != "prompt: " {
		t.Errorf("held too little or too much: %q", out.String())
	}
	if err := w.Flush(); err != nil || out.String() != "prompt: corr" {
		t.Errorf("Flush: %v, %q", err, out.String())
	}
}

func TestHeldBytesAreBounded(t *testing.T) {
	r, _ := New(Secret{"PW", strings.Repeat("ab", 500)})
	w := r.Writer(io.Discard)
	hostile := []string{
		"eyJ", "://", "Authorization: Digest ",
		"-----BEGIN RSA PRIVATE KEY-----\n" + strings.Repeat("A", 64) + "\n", "ababab", "ghp_", "\\neyJ", "a:",
	}
	for _, h := range hostile {
		start := time.Now()
		for range (1 << 18) / len(h) {
			fmt.Fprint(w, h)
			if len(w.held) > shape.MaxHold+shape.MaxHold/16+len(h) {
				t.Fatalf("%q: %d bytes held", h, len(w.held))
			}
			if time.Since(start) > time.Minute {
				t.Fatalf("%q: less than 4 KB/s", h)
			}
		}
		t.Logf("%q: %.0f KB/s", h, 256/time.Since(start).Seconds())
	}
}

// failingSink takes so many bytes, then fails until it is mended.
type failingSink struct {
	room int
	got  bytes.Buffer
}

var errFull = errors.New("no space left on device")

func (s *failingSink) Write(p []byte) (int, error) {
	n := min(len(p), s.room)
	s.room -= n
	s.got.Write(p[:n])
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestSinkErrorKeepsDraining(t *testing.T) {
	r, _ := New(Secret{"PW", "hunter2hunter2"})
	sink := &failingSink{room: 12}
	w := r.Writer(sink)
	for range 1000 {
		if n, err := w.Write([]byte("0123456789\n")); n != 11 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if got, want := w.Dropped(), int64(11000-12); got != want {
		t.Errorf("Dropped = %d, want %d", got, want)
	}
	sink.room = 1 << 20
	fmt.Fprint(w, "hunter2hunter2 again\n")
	if !strings.HasSuffix(sink.got.String(), "<sensitive:PW> again\n") {
		t.Errorf("after the sink recovered it has %q", sink.got.String())
	}
	if err := w.Close(); !errors.Is(err, errFull) || !errors.Is(w.Err(), errFull) {
		t.Errorf("Close = %v", err)
	}
	if n, err := w.Write([]byte("late")); n != 4 || err != nil {
		t.Errorf("Write after Close = %d, %v", n, err)
	}
}

func TestShortWriteIsAnError(t *testing.T) {
	r, _ := New()
	w := r.Writer(shortSink{})
	fmt.Fprint(w, "12345\n")
	if err := w.Close(); !errors.Is(err, io.ErrShortWrite) || w.Dropped() != 3 {
		t.Errorf("Close = %v, dropped %d", err, w.Dropped())
	}
}

type shortSink struct{}

func (shortSink) Write(p []byte) (int, error) { return len(p) / 2, nil }

func TestConcurrentWritesAndAdds(t *testing.T) {
	r, _ := New(Secret{"PW", "hunter2hunter2"})
	var out bytes.Buffer
	w := r.Writer(&out)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				if j%50 == 0 {
					r.Add(Secret{fmt.Sprint("S", i), fmt.Sprintf("value-%d-of-%d", j, i)})
				}
				fmt.Fprintf(w, "line %d of %d hunter2hunter2\n", j, i)
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "<sensitive:PW>\n"); n != 1600 || strings.Contains(out.String(), "hunter2") {
		t.Errorf("%d of 1600 lines masked", n)
	}
}

// TestMemoryIsBounded feeds a million lines (LOG-16) and looks at what they cost.
func TestMemoryIsBounded(t *testing.T) {
	var secrets []Secret
	for i := range 100 {
		secrets = append(secrets, Secret{fmt.Sprint("S", i), fmt.Sprintf("s3cr3t-value-%04d", i*7919)})
	}
	r, _ := New(secrets...)
	w := r.Writer(io.Discard)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := time.Now()
	line := []byte("    vsphere-iso.linux: ok: [default] => {\"changed\": false} " +
		"s3cr3t-value-00000 at https://host/path\n")
	for range 1_000_000 {
		if _, err := w.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	elapsed := time.Since(start)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("heap grew by %d bytes", grown)
	}
	if total := after.TotalAlloc - before.TotalAlloc; total > 8<<20 {
		t.Errorf("allocated %d bytes for a million lines", total)
	}
	t.Logf("%.0f lines/s", 1e6/elapsed.Seconds())
}

// TestCutWithinALineEnd cuts codes in lines everywhere, also within what ends a line.
func TestCutWithinALineEnd(t *testing.T) {
	const secret = `bB5k~?[c0|$@*ebC0Gmey8`
	r, _ := New(Secret{"S", secret})
	twice := hex.EncodeToString([]byte(hex.EncodeToString([]byte(secret))))
	nested := base64.StdEncoding.EncodeToString([]byte(base64.URLEncoding.EncodeToString([]byte(secret))))
	for _, code := range []string{twice, strings.ToUpper(twice), nested, hex.EncodeToString([]byte(secret))} {
		for _, width := range []int{16, 17, 32, 64} {
			for _, end := range []string{"\n", "\r\n", "\\\n"} {
				text := "x "
				for rest := code; rest != ""; {
					n := min(width, len(rest))
					text, rest = text+rest[:n]+end, rest[n:]
				}
				text += "y"
				want := r.String(text)
				if !strings.Contains(want, "<sensitive:S>") {
					t.Fatalf("%q is not hidden: %q", text, want)
				}
				for cut := range len(text) {
					var out bytes.Buffer
					w := r.Writer(&out)
					_, _ = io.WriteString(w, text[:cut])
					_, _ = io.WriteString(w, text[cut:])
					if err := w.Close(); err != nil || out.String() != want {
						t.Fatalf("%q cut at %d: %v\n got  %q\n want %q", text, cut, err, out.String(), want)
					}
				}
				var out bytes.Buffer
				w := r.Writer(&out)
				for i := range len(text) {
					_, _ = io.WriteString(w, text[i:i+1])
				}
				if err := w.Close(); err != nil || out.String() != want {
					t.Fatalf("%q byte by byte: %v\n got  %q\n want %q", text, err, out.String(), want)
				}
			}
		}
	}
}
