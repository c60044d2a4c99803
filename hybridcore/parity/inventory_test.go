// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:14Z
// Spec: openspec/specs/parity/spec.md#requirement-reading-an-inventory
// Diagram: openspec/specs/parity/diagram.md#from-guest-to-record

package parity

import (
	"strings"
	"testing"
)

const valid = `{"format":1,"errors":[{"section":"sshd","message":"x"}],"packages":[{"name":"curl","version":"7.88","architecture":"amd64","manager":"dpkg"}]}`

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
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, err := Parse(data)
		if err == nil && len(inv.Packages) == 0 {
			t.Error("an inventory without packages was accepted")
		}
	})
}
