// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:23:35Z
// Spec: openspec/specs/parity/spec.md#requirement-reviewed-allow-list
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"errors"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

const goodEntry = `allow "packages" "lib*" {
  platforms = ["azure", "vsphere"]
  images    = ["debian-12"]
  reason    = "because"
  owner     = "me"
}
`

func TestParseAllowRefuses(t *testing.T) {
	edit := func(old, with string) string { return strings.Replace(goodEntry, old, with, 1) }
	tests := []struct {
		name, text, want string
		line             int
	}{
		{"category", edit("packages", "package"), `unknown category "package" (did you mean "packages"?)`, 1},
		{"everything", edit("lib*", "**"), "allows everything", 1},
		{"too many stars", edit("lib*", "a*b*c*d*e*f*g*h*i*"), "asterisks", 1},
		{"platform", edit("azure", "azur"), `unknown platform "azur" (did you mean "azure"?)`, 2},
		{"no reason", edit("  reason    = \"because\"\n", ""), `needs the setting "reason"`, 1},
		{"empty reason", edit("because", " "), "reason is empty", 4},
		{"no owner", edit("  owner     = \"me\"\n", ""), `needs the setting "owner"`, 1},
		{"typo", edit("reason", "raeson"), `no setting "raeson"`, 4},
		{"type", edit(`["debian-12"]`, "12"), "images must be a list of strings", 3},
		{"empty list", edit(`["debian-12"]`, "[]"), "images is empty", 3},
		{"null", edit(`["debian-12"]`, "null"), "images must be a list", 3},
		{"function", edit(`"because"`, `file("/etc/shadow")`), "a call of the function file", 4},
		{"twice", goodEntry + goodEntry, "allowed twice, first in line 1", 7},
		{"nested", edit("  owner", "  more {}\n  owner"), `no block "more"`, 5},
		{"one label", `allow "packages" {}`, "no block \"allow\" with 1 labels", 1},
		{"policy", `policy = "blok"`, `unknown policy "blok" (did you mean "block"?)`, 1},
		{"setting", `polici = "block"`, `no setting "polici" (did you mean "policy"?)`, 1},
		{"override of nothing", "override \"warn\" {\n reason = \"r\"\n owner = \"o\"\n}", "needs environments or images", 1},
		{
			"override policy", "override \"skip\" {\n images = [\"a\"]\n reason = \"r\"\n owner = \"o\"\n}",
			`unknown policy "skip"`, 1,
		},
		{"syntax", "allow {", "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseAllow([]byte(tt.text), AllowFile)
			var findings *hybridcore.FindingsError
			if !errors.As(err, &findings) {
				t.Fatalf("error %v, want findings", err)
			}
			f := findings.Findings[0]
			if !strings.Contains(f.Message, tt.want) || f.File != AllowFile || f.Line != tt.line {
				t.Errorf("got %s, want line %d and %q", f, tt.line, tt.want)
			}
			if hybridcore.ExitCode(err) != hybridcore.ExitUsage {
				t.Errorf("exit code %d", hybridcore.ExitCode(err))
			}
		})
	}
}

func TestExpects(t *testing.T) {
	allow, err := ParseAllow([]byte(goodEntry+`allow "files" "/etc/*/x" {
  platforms = ["azure"]
  absent    = true
  reason    = "azure has no x"
  owner     = "me"
}
`), AllowFile)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, image, category, key string
		a, b                       hybridcore.Platform
		inA, inB                   string
		want                       bool
	}{
		{"only the named one has it", "debian-12", "packages", "libfoo", "azure", "proxmox", "1", "", true},
		{"only the other has it", "debian-12", "packages", "libfoo", "azure", "proxmox", "", "1", false},
		{"both have it, one is named", "debian-12", "packages", "libfoo", "azure", "proxmox", "1", "2", false},
		{"both are named", "debian-12", "packages", "libfoo", "azure", "vsphere", "1", "2", true},
		{"another image", "debian-13", "packages", "libfoo", "azure", "proxmox", "1", "", false},
		{"another category", "debian-12", "units", "libfoo", "azure", "proxmox", "1", "", false},
		{"another key", "debian-12", "packages", "glib", "azure", "proxmox", "1", "", false},
		{"absent where named", "any", "files", "/etc/a/b/x", "azure", "proxmox", "", "1", true},
		{"absent elsewhere", "any", "files", "/etc/a/b/x", "azure", "proxmox", "1", "", false},
		{"a section", "debian-12", "packages", "(section)", "azure", "vsphere", "1", "2", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := hybridcore.Difference{Category: tt.category, Key: tt.key, A: tt.a, B: tt.b, InA: tt.inA, InB: tt.inB}
			if got := len(allow.expects(tt.image, d)) > 0; got != tt.want {
				t.Errorf("expected %v, want %v", got, tt.want)
			}
		})
	}
}

func TestOverride(t *testing.T) {
	allow, err := ParseAllow([]byte(`
policy = "block"
override "warn" {
  environments = ["lab"]
  reason       = "try things"
  owner        = "me"
}
override "block" {
  images = ["debian-12"]
  reason = "but not with this"
  owner  = "me"
}
`), AllowFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		env, image string
		want       hybridcore.ParityPolicy
	}{{"lab", "debian-13", "warn"}, {"lab", "debian-12", "block"}, {"prod", "debian-13", "block"}} {
		if got := allow.Policy(tt.env, tt.image); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.env, tt.image, got, tt.want)
		}
	}
	if got := (Allow{}).Policy("lab", "x"); got != hybridcore.ParityBlock {
		t.Errorf("without a file: %s", got)
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		glob, text string
		want       bool
	}{
		{"a", "a", true},
		{"a", "ab", false},
		{"a*", "ab/c", true},
		{"*b", "ab", true},
		{"a*b*c", "axbxc", true},
		{"a*a", "a", false},
		{"a*b", "abc", false},
		{"*a*", "xay", true},
		{"a*bb*b", "abb", false},
	} {
		if got := match(tt.glob, tt.text); got != tt.want {
			t.Errorf("match(%q, %q) = %v", tt.glob, tt.text, got)
		}
	}
}

func FuzzParseAllow(f *testing.F) {
	f.Add([]byte(goodEntry))
	f.Add([]byte("policy = \"warn\"\noverride \"block\" {\n images = [\"a\"]\n reason = \"r\"\n owner = \"o\"\n}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		allow, err := ParseAllow(src, AllowFile)
		var findings *hybridcore.FindingsError
		switch {
		case err != nil && !errors.As(err, &findings):
			t.Errorf("error without a place: %v", err)
		case err != nil:
			return
		}
		for _, e := range allow.entries {
			if len(e.platforms) == 0 || e.reason == "" || e.owner == "" || strings.Trim(e.glob, "*") == "" {
				t.Errorf("an entry without platforms, reason, owner or key: %+v", e)
			}
		}
	})
}

func FuzzNormalise(f *testing.F) {
	f.Add([]byte(valid))
	f.Add([]byte(`{"format":1,"packages":[{"name":"a","version":"1"}],"users":[{"name":"x","uid":100}],"listening":[{"port":1}],"sysctl":{"values":{"a":null}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, err := Parse(data)
		if err != nil {
			return
		}
		n, err := Normalise(inv)
		if err != nil {
			return
		}
		for _, c := range Against(n, n) {
			if c.Key != hybridcore.WholeSection && !strings.HasPrefix(c.Was, notRead) {
				t.Errorf("an inventory differs from itself: %+v", c)
			}
		}
		for category, entries := range n.sections {
			for i := 1; i < len(entries); i++ {
				if entries[i-1].Key >= entries[i].Key {
					t.Errorf("%s: %q is not before %q", category, entries[i-1].Key, entries[i].Key)
				}
			}
		}
	})
}
