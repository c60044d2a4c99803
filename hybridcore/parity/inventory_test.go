// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:14Z
// Spec: openspec/specs/parity/spec.md#requirement-reading-an-inventory
// Diagram: openspec/specs/parity/diagram.md#from-guest-to-record

package parity

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const valid = `{"format":1,"errors":[{"section":"sshd","message":"x"}],"packages":[{"name":"curl","version":"7.88","architecture":"amd64","manager":"dpkg"}]}`

// canonical is a document as inventory.py writes it.
const canonical = "{\n \"errors\": [],\n \"format\": 1,\n \"packages\": [\n" +
	"  {\n   \"architecture\": \"amd64\",\n   \"manager\": \"dpkg\",\n   \"name\": \"curl\",\n   \"version\": \"7.88\"\n  }" +
	"\n ]\n}\n"

func TestFastReader(t *testing.T) {
	data, err := os.ReadFile("testdata/vsphere.json")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		text string
		fast bool
	}{
		"a real inventory": {string(data), true},
		"canonical":        {canonical, true},
		"compact":          {valid, false},
		"an escape":        {strings.Replace(canonical, "amd64", `a\u0041`, 1), false},
		"empty list":       {strings.Replace(canonical, canonical[strings.Index(canonical, "  {"):strings.Index(canonical, "\n ]")], "", 1), false},
		"no comma":         {strings.Replace(canonical, "\n  }", "\n  }\n  {", 1), false},
		"another order":    {strings.Replace(canonical, "architecture", "manager", 1), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, _, ok := fast([]byte(tt.text)); ok != tt.fast {
				t.Errorf("fast %v, want %v", ok, tt.fast)
			}
			inv, err := Parse([]byte(tt.text))
			slow, slowErr := decode([]byte(tt.text))
			if slowErr == nil {
				slow, slowErr = checked(slow)
			}
			if (err == nil) != (slowErr == nil) || cmp.Diff(slow, inv) != "" {
				t.Errorf("the readers differ (%v, %v): %s", err, slowErr, cmp.Diff(slow, inv))
			}
		})
	}
}

func TestParse(t *testing.T) {
	inv, err := Parse([]byte(valid))
	if err != nil {
		t.Fatal(err)
	}
	if len(inv.Packages) != 1 || inv.Packages[0].Name != "curl" || len(inv.Errors) != 1 {
		t.Errorf("got %+v", inv)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "EOF"},
		{"truncated", valid[:len(valid)-20], "unexpected EOF"},
		{"trailing", valid + "{}", "data after its end"},
		{"newer", strings.Replace(valid, `"format":1`, `"format":2`, 1), "format 2, this version reads 1"},
		{"no packages", `{"format":1,"packages":[]}`, "lists no package"},
		{"null package", `{"format":1,"packages":[null]}`, "package 1 has no name"},
		{"unknown section", `{"format":1,"secrets":1}`, "unknown field"},
		{"null", "null", "format 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want it to contain %q", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(valid))
	f.Add([]byte(canonical))
	f.Add([]byte(`{"image":{` + strings.TrimPrefix(canonical, "{") + `}`))
	f.Add([]byte(strings.Replace(canonical, "amd64", `a\u0041`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, err := Parse(data)
		slow, slowErr := decode(data)
		if slowErr == nil {
			slow, slowErr = checked(slow)
		}
		if (err == nil) != (slowErr == nil) {
			t.Fatalf("one reader accepts what the other refuses: %v, %v", err, slowErr)
		}
		if diff := cmp.Diff(slow, inv); err == nil && diff != "" {
			t.Errorf("the readers differ: %s", diff)
		}
	})
}
