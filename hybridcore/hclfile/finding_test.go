// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:12:16Z
// Spec: openspec/specs/hclfile/spec.md#requirement-places-and-lines-in-errors
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

package hclfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

func TestFindingsShowPlaceAndLine(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"syntax": {"a = 1\n  b = = 2\n", "f.hcl:2:7: Invalid expression: Expected the start of an expression, but found " +
			"an invalid expression token\n    b = = 2"},
		"password": {
			"a = 1\nbuild_password = \"hunter2\n",
			"f.hcl:2:26: Invalid multi-line string: Quoted strings may not be split over multiple lines\n  hint: To produce " +
				"a multi-line string, either use the \\n escape to represent a newline character or use the \"heredoc\" " +
				"multi-line template syntax",
		},
		"password below": {
			"client_secret = [\n  \"hunter2\" \"x\"\n]\n",
			"f.hcl:2:13: Missing item separator: Expected a comma to mark the beginning of the next item",
		},
		"private key": {
			"x = <<EOT\n-----BEGIN RSA PRIVATE KEY-----\n${hunter2 x}\nEOT\n",
			"f.hcl:3:11: Extra characters after interpolation expression",
		},
		"list of secrets": {
			"tokens = [\n" + strings.Repeat("  \"x\",\n", 300) + "  \"hunter2\" 1\n]\n",
			"f.hcl:302:13: Missing item separator",
		},
		"very long line":    {"a = \"" + strings.Repeat("x", 5_000) + "\" \"hunter2\"\n", "Missing newline after argument"},
		"terminal commands": {"a = \u202e'x' + \"\u009b31m\"\n", `a = \u202e'x' + "\u009b31m"`},
		"long line":         {"a = " + strings.Repeat("1 ", 300), " 1 1 1 …"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := hclfile.Parse([]byte(test.text), "f.hcl", hclfile.VarFile())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the secret shows: %v", err)
			}
		})
	}
}

func TestFindingsAreFew(t *testing.T) {
	_, err := hclfile.Parse([]byte(strings.Repeat("\x01\n", 5_000)), "f.hcl", hclfile.VarFile())
	findings := hclfile.Findings("f.hcl", err)
	if len(findings) != hclfile.MaxFindings+1 ||
		!strings.Contains(findings[hclfile.MaxFindings].Message, "the rest is not listed") {
		t.Errorf("%d findings", len(findings))
	}
}

func TestSecretName(t *testing.T) {
	got := map[string]bool{}
	for _, name := range []string{
		"build_password", "vsphere_password", "azure_client_secret", "proxmox_token", "build_password_encrypted", "token",
		"token_ttl", "secret_name", "private_key_file", "ssh_private_key", "password_expiry_days", "monkey", "author",
	} {
		got[name] = hclfile.SecretName(name)
	}
	want := map[string]bool{
		"build_password": true, "vsphere_password": true, "azure_client_secret": true, "proxmox_token": true,
		"build_password_encrypted": true,
		"token":                    true, "token_ttl": false, "secret_name": false, "private_key_file": false,
		"ssh_private_key":      true,
		"password_expiry_days": false, "monkey": false, "author": false,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
