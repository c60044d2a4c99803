// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:17:02Z
// Spec: openspec/specs/security/spec.md#requirement-tickets-are-signed-and-used-once
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package policy_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
)

var (
	first  = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("1", 32)))
	second = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("2", 40)))
)

func keysOf(tb testing.TB, text string) policy.Keys {
	tb.Helper()
	keys, err := policy.ParseKeys(text)
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

func sealedTicket(tb testing.TB, keys policy.Keys, cells int) (policy.Ticket, []byte) {
	tb.Helper()
	ticket := policy.Ticket{
		Audience: policy.Audience{System: "github", Repository: "o/r", File: "images.yml"}, Expires: time.Unix(2_000_000_000,
			0).UTC(),
		Request: "20261123t050000-1a2b3c4d", Person: person("U0001"), Verb: "build", Commit: commit,
	}
	inputs := map[string]map[string]string{}
	for n := range cells {
		one := cell("production", fmt.Sprintf("windows-server-2022-%d", n), "vsphere")
		ticket.Cells = append(ticket.Cells, one)
		inputs[one.String()] = map[string]string{"n": fmt.Sprint(n)}
	}
	plan := policy.NewPlan(ticket.Cells, inputs)
	ticket.Plan = &plan
	sealed, err := keys.Seal(ticket)
	if err != nil {
		tb.Fatal(err)
	}
	return ticket, sealed
}

// TestSealed opens what was sealed, and nothing else: each byte of it counts.
func TestSealed(t *testing.T) {
	t.Parallel()
	keys := keysOf(t, first)
	ticket, sealed := sealedTicket(t, keys, 2)
	got, err := keys.Open(sealed)
	if diff := cmp.Diff(ticket, got); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
	for at := range sealed {
		for _, change := range []byte{1, 'A' ^ 'B', 0x80} {
			other := append([]byte{}, sealed...)
			other[at] ^= change
			if got, err := keys.Open(other); err == nil {
				t.Fatalf("byte %d was changed, and it opens as %+v", at, got)
			}
		}
	}
	for at := range len(sealed) {
		if _, err := keys.Open(sealed[:at]); err == nil {
			t.Fatalf("cut after %d bytes it opens", at)
		}
	}
	for _, other := range []string{
		"", ".", "...", string(sealed) + ".", string(sealed) + "=", string(sealed) + "\n",
		`{"request":"x"}`, strings.Repeat("a.", 50_000),
	} {
		if _, err := keys.Open([]byte(other)); err == nil {
			t.Errorf("%.60q opens", other)
		}
	}
	if text := string(sealed); strings.ContainsAny(text, " $\"'\\\n") || strings.Contains(text, first) {
		t.Errorf("a shell or a CI system would change it: %s", text)
	}
	if _, err := keysOf(t, second).Open(sealed); err == nil || !strings.Contains(err.Error(), "MAC") {
		t.Errorf("with another key: %v", err)
	}
	if _, large := sealedTicket(t, keys, 500); len(large) > 60_000 {
		t.Errorf("500 targets take %d bytes", len(large))
	}
	if _, err := keys.Seal(policy.Ticket{Cells: make([]policy.Cell, 200_000)}); err == nil {
		t.Error("200,000 targets fit")
	}
	if _, err := (policy.Keys{}).Seal(ticket); err == nil {
		t.Error("sealed without a key")
	}
}

// TestKeys reads keys, and changes them one after the other.
func TestKeys(t *testing.T) {
	t.Parallel()
	short := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("s", 31)))
	for text, why := range map[string]string{
		"": "is not set", " , ": "is not set", short: "has 31 bytes, and needs 32", "***": "key 1 is not " +
			"base64", first + "," + short: "key 2 has 31 bytes",
		strings.Repeat(first+",", 9): "at most 8", strings.TrimSuffix(first, "="): "not base64",
	} {
		if _, err := policy.ParseKeys(text); err == nil || !strings.Contains(err.Error(), why) ||
			strings.Contains(err.Error(), first) {
			t.Errorf("%d characters: %v, want %s", len(text), err, why)
		}
	}
	old, both := keysOf(t, first), keysOf(t, second+", "+first)
	_, before := sealedTicket(t, old, 1)
	_, after := sealedTicket(t, both, 1)
	for name, test := range map[string]struct {
		keys   policy.Keys
		sealed []byte
		opens  bool
	}{
		"old key, new keys": {both, before, true}, "new key, new keys": {both, after, true},
		"new key, old keys": {old, after, false}, "old key, it was removed": {keysOf(t, second), before, false},
	} {
		if _, err := test.keys.Open(test.sealed); (err == nil) != test.opens {
			t.Errorf("%s: %v", name, err)
		}
	}
	if said := fmt.Sprintf("%v %+v %#v %s", old, old, old, old); strings.Contains(said, "1111") ||
		strings.Contains(said, "49, 49") || strings.Contains(said, "0x31") {
		t.Errorf("the key is printed: %s", said)
	}
}

// TestAudience refuses tickets of others.
func TestAudience(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_900_000_000, 0)
	mine := policy.Audience{System: "github", Repository: "o/r", File: "images.yml"}
	for name, test := range map[string]struct {
		of     policy.Audience
		at     time.Time
		refuse string
	}{
		"mine":             {mine, now, ""},
		"in other letters": {policy.Audience{System: "github", Repository: "O/R", File: "images.yml"}, now, ""},
		"another system": {
			policy.Audience{System: "gitlab", Repository: "o/r", File: "images.yml"},
			now,
			"it is for gitlab o/r images.yml",
		},
		"another repository": {
			policy.Audience{System: "github", Repository: "o/r2", File: "images.yml"},
			now,
			"and this is github o/r images.yml",
		},
		"another file": {policy.Audience{System: "github", Repository: "o/r", File: "other.yml"}, now, "it is for"},
		"nobody":       {policy.Audience{}, now, "it is for"},
		"over":         {mine, time.Unix(2_000_000_001, 0), "it ended at 2033-05-18T03:33:20Z"},
	} {
		ticket := policy.Ticket{Audience: test.of, Expires: time.Unix(2_000_000_000, 0)}
		if got := ticket.Refuses(test.at, mine); (got == "") != (test.refuse == "") || !strings.Contains(got, test.refuse) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if (policy.Ticket{Audience: mine}).Refuses(now, mine) == "" {
		t.Error("a ticket without an end is good")
	}
}

// FuzzOpen opens any text: it is refused, or was sealed with the key.
func FuzzOpen(f *testing.F) {
	keys := keysOf(f, first)
	_, sealed := sealedTicket(f, keys, 3)
	_, other := sealedTicket(f, keysOf(f, second), 1)
	for _, seed := range []string{
		string(sealed), string(other), string(sealed[:len(sealed)/2]), "", "pht1...",
		"pht1.00000000.AA.AA", `{"request":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ticket, err := keys.Open(text)
		if err == nil && string(text) != string(sealed) {
			t.Errorf("%q opens as %+v", text, ticket)
		}
	})
}
