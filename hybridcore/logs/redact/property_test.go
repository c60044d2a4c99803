// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:18:06Z
// Spec: openspec/specs/logs/spec.md#requirement-no-run-of-a-secret-is-left
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var seed = flag.Uint64("seed", 1, "of the samples of the property test; 0 takes one at random")

const (
	samples   = 100_000
	perGroup  = 250 // samples of one redactor
	leakRunes = 8   // of a secret that may not be seen together
)

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
	r, _ := New(secrets...)
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
