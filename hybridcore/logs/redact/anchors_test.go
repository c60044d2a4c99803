// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:28:03Z
// Spec: openspec/specs/logs/spec.md#requirement-unknown-credentials-are-recognised-by-their-shape
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"io"
	"strings"
	"testing"
)

// secretHere stands for the part of a text that is hidden.
const secretHere = "§"

// shapesOfPlatforms are texts, each with what replaces the secret in it, and the secret, which nobody was given: it
// only looks
// like one.
var shapesOfPlatforms = []struct{ text, name, secret string }{
	{"ticket PVE:§ ok", "proxmox-ticket", "root@pam:65A1B2C3::" + strings.Repeat("kX9/+Zq", 8) + "=="},
	{`"vncticket":"PVEVNC:§"`, "proxmox-ticket", "65A1B2C3:root@pam::" + strings.Repeat("kX9/+Zq", 8)},
	{"CSRFPreventionToken: §\r\n", "proxmox-csrf-token", "65A1B2C3:" + strings.Repeat("aB3/x", 8)},
	{`{"CSRFPreventionToken":"§","clustername":"c"}`, "proxmox-csrf-token", "65A1B2C3:" + strings.Repeat("aB3/x", 8)},
	{"csrfpreventiontoken: §\n", "proxmox-csrf-token", "65A1B2C3:" + strings.Repeat("aB3/x", 8)},
	{"token ci@pve!build=§ was refused", "proxmox-token", "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"},
	{"root@pam!ci:§,", "proxmox-token", "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"},
	{"-H PVEAPIToken=§ -k", "proxmox-token", "root@pam!ci=0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0"},

	{"vnc PVEVNC:§\n", "proxmox-ticket", "65A1B2C3::" + strings.Repeat("kX9/+Zq", 8)},
	{"second factor PVE:§\n", "proxmox-ticket", "!tfa!%7B%22totp%22%3Atrue%7D:65A1B2C3::" + strings.Repeat("kX9/+Zq", 8)},
	{"map[Csrfpreventiontoken:[§] Accept:[*/*]]", "proxmox-csrf-token", "65A1B2C3:" + strings.Repeat("aB3/x", 8)},
	{"CSRFPREVENTIONTOKEN=§\n", "proxmox-csrf-token", "65A1B2C3:" + strings.Repeat("aB3/x", 8)},
	{"map[Vmware-Api-Session-Id:[§]]", "vsphere-session", "b00db39f948d13ea1e59b4d6fce56389"},

	{"secret abc§ of the application", "azure-client-secret", "8Q" + "~" + strings.Repeat("aB3_-", 6) + "xY.z"},
	{"ARM_CLIENT_SECRET=Zy.§\n", "azure-client-secret", "7Q" + "~" + strings.Repeat("aB3.~", 6) + "x"},
	{"SharedAccessKeyName=root;SharedAccessKey=§;Entity", "azure-account-key", strings.Repeat("QUJD", 10) + "REU="},
	{`{"SharedAccessKey":"§","a":1}`, "azure-account-key", strings.Repeat("QUJD", 10) + "REU="},
	{"SharedAccessKey = §\n", "azure-account-key", strings.Repeat("QUJD", 10) + "REU="},
	{"sharedaccesskeyname=root;sharedaccesskey=§;", "azure-account-key", strings.Repeat("QUJD", 10) + "REU="},
	{"map[Accountkey:[§]]", "azure-account-key", strings.Repeat("QUJD", 20) + "RA=="},
	{`"accountKey": "§"`, "azure-account-key", strings.Repeat("QUJD", 20) + "RA=="},
	{"AccountKey=§;EndpointSuffix", "azure-account-key", strings.Repeat("QUJD", 20) + "RA=="},
	{"?sv=2024&§&se=1", "azure-sas", "sig=" + strings.Repeat("aB3%2F", 9) + "%3D"},

	{"root:§:19000:0", "password-hash", "$1$" + "saltsalt$" + strings.Repeat("aB3", 7) + "x"},
	{"hash §\n", "password-hash", "$2a$" + "12$" + strings.Repeat("aB3./", 10) + "xyz"},
	{"hash §\n", "password-hash", "$2b$" + "10$" + strings.Repeat("aB3./", 10) + "xyz"},
	{"hash §\n", "password-hash", "$2y$" + "05$" + strings.Repeat("aB3./", 10) + "xyz"},
	{`"password": "§"`, "password-hash", "$5$" + "rounds=5000$salt$" + strings.Repeat("aB3", 14) + "x"},
	{"--iscrypted §\n", "password-hash", "$6$" + "saltsaltsaltsalt$" + strings.Repeat("aB3./x", 14) + "xy"},
	{"root:§:", "password-hash", "$y$" + "j9T$saltSALTsalt./$" + strings.Repeat("aB3./", 8) + "xyz"},
	{"root:§:", "password-hash", "$7$" + "CU..../....saltSALT$" + strings.Repeat("aB3./", 8) + "xyz"},
	{"hash §.", "password-hash", "$argon2" + "id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$" + strings.Repeat("aB3+/x", 7) + "x"},
	{
		"1,,ui,say,§\n", "password-hash",
		"$argon2" + "i$v=19$m=65536%!(PACKER_COMMA)t=3%!(PACKER_COMMA)p=4$c2FsdA$" + strings.Repeat("aB3+/x", 7),
	},

	{"push §@gitlab", "gitlab-token", "glpat-" + "aB3dE6gH9jK2mN5pQ8rS"},
	{"routable §.", "gitlab-token", "glpat-" + "aB3dE6gH9jK2mN5pQ8rSaB3dE6g.01.0z1abc2de"},
	{"x §\n", "gitlab-token", "gldt-" + "aB3dE6gH9jK2mN5pQ8rS"},
	{"x §\n", "gitlab-token", "glrt-" + "t1_aB3dE6gH9jK2mN5pQ8rS"},
	{"x §\n", "gitlab-token", "glrtr-" + "aB3dE6gH9jK2mN5pQ8rS"},
	{"x §\n", "gitlab-token", "glcbt-" + "64_aB3dE6gH9jK2mN5pQ8rS"},
	{"x §\n", "gitlab-token", "glptt-" + strings.Repeat("0a1b2c3d", 5)},
	{"x §\n", "gitlab-token", "glft-" + "aB3dE6gH9jK2mN5pQ8rS"},
	{"x §\n", "gitlab-token", "glsoat-" + "aB3dE6gH9jK2mN5pQ8rS"},
	{"x §\n", "gitlab-token", "glagent-" + strings.Repeat("aB3dE", 10)},
	{"x §\n", "gitlab-token", "glimt-" + "aB3dE6gH9jK2mN5pQ8rSaB3dE"},
	{"x §\n", "gitlab-token", "gloas-" + strings.Repeat("0a1b2c3d", 8)},
	{"x §\n", "gitlab-token", "glffct-" + "aB3dE6gH9jK2mN5pQ8rS"},
	{"x §\n", "gitlab-token", "GR13" + "48941aB3dE6gH9jK2mN5pQ8rS"},

	{"x §\n", "github-token", "ghp" + "_" + strings.Repeat("aB3dE6", 6)},
	{"x §\n", "github-token", "gho" + "_" + strings.Repeat("aB3dE6", 6)},
	{"x §\n", "github-token", "ghu" + "_" + strings.Repeat("aB3dE6", 6)},
	{"x §\n", "github-token", "ghs" + "_" + strings.Repeat("aB3dE6", 6)},
	{"x §\n", "github-token", "ghr" + "_" + strings.Repeat("aB3dE6", 12)},
	{"x §\n", "github-token", "github_pat" + "_11ABCDE0123456789abcde_" + strings.Repeat("aB3dE6", 9)},

	{"x §\n", "slack-token", "xoxb-" + "123456789012-1234567890123-" + strings.Repeat("aB3d", 6)},
	{"x §\n", "slack-token", "xoxp-" + "123456789012-123456789012-123456789012-" + strings.Repeat("0a1b", 8)},
	{"x §\n", "slack-token", "xoxa-" + "2-123456789012-" + strings.Repeat("0a1b", 8)},
	{"x §\n", "slack-token", "xoxr-" + "123456789012-" + strings.Repeat("0a1b", 8)},
	{"x §\n", "slack-token", "xoxe-" + "1-" + strings.Repeat("aB3d", 30)},
	{"x §\n", "slack-token", "xoxe." + "xoxb-1-" + strings.Repeat("aB3d", 30)},
	{"x §\n", "slack-token", "xoxc-" + "123456789012-123456789012-" + strings.Repeat("0a1b", 16)},
	{"Cookie: d=§; x", "slack-token", "xoxd-" + strings.Repeat("aB3%2F", 12) + "%3D%3D"},
	{"x §\n", "slack-token", "xapp-" + "1-A0123456789-1234567890123-" + strings.Repeat("0a1b", 16)},
	{"https://§ ok", "slack-webhook", "hooks.slack.com/services/" + "T01234567/B01234567/" + strings.Repeat("aB3d", 6)},
	{
		"https://§ ok", "slack-webhook",
		"hooks.slack.com/workflows/" + "T01234567/A01234567/123456789012345678/" + strings.Repeat("aB3d", 6),
	},
	{"https://§\n", "slack-webhook", "hooks.slack.com/triggers/" + "T01234567/1234567890123/" + strings.Repeat("0a1b", 8)},

	{
		"https://§ ok", "slack-webhook",
		"hooks.slack.com/commands/" + "T01234567/1234567890123/" + strings.Repeat("aB3d", 6),
	},
	{"https://§ ok", "slack-webhook", "hooks.slack.com/actions/" + "T01234567/1234567890123/" + strings.Repeat("aB3d", 6)},
	{
		"https://§ ok", "slack-webhook",
		"hooks.slack-gov.com/services/" + "T01234567/B01234567/" + strings.Repeat("aB3d", 6),
	},

	{"x §\n", "vault-token", "hvs." + "CAES" + strings.Repeat("aB3d_-", 15) + "x"},
	{"x §\n", "vault-token", "hvb." + "AAAA" + strings.Repeat("aB3d_-", 20) + "x"},
	{"x §\n", "vault-token", "hvr." + "AAAA" + strings.Repeat("aB3d_-", 15) + "x"},
	{"X-Vault-Token: §\r\n", "vault-token", "s." + "aB3dE6gH9jK2mN5pQ8rS1tU4"},
	{`"client_token":"§",`, "vault-token", "s." + "aB3dE6gH9jK2mN5pQ8rS1tU4"},
	{"map[X-Vault-Token:[§]]", "vault-token", "s." + "aB3dE6gH9jK2mN5pQ8rS1tU4"},
	{"VAULT_TOKEN=§. Then", "vault-token", "s." + "aB3dE6gH9jK2mN5pQ8rS1tU4"},

	{"proxy http://user:§@proxy:3128", "url-password", "p%40ss%2Fw%3Ard"},

	{"§\n", "private-key", "AGE-SECRET-KEY-1" + strings.Repeat("QZ3P", 14) + "QL"},
	{"aws_secret_access_key = §\n", "aws-secret-key", strings.Repeat("aB3/+", 8)},
	{`"SecretAccessKey": "§"`, "aws-secret-key", strings.Repeat("aB3/+", 8)},
	{"export AWS_SECRET_ACCESS_KEY=§\n", "aws-secret-key", strings.Repeat("aB3/+", 8)},
}

func TestShapesOfPlatforms(t *testing.T) {
	r, _ := New()
	for _, test := range shapesOfPlatforms {
		text := strings.ReplaceAll(test.text, secretHere, test.secret)
		want := strings.ReplaceAll(test.text, secretHere, "<sensitive:"+test.name+">")
		if got := r.String(text); got != want {
			t.Errorf("%q:\n got  %q\n want %q", text, got, want)
		}
		for _, sizes := range [][]byte{{1}, {7, 3}} {
			if got := chunked(t, r, []byte(text), sizes); got != want {
				t.Errorf("%q in pieces of %v:\n got  %q\n want %q", text, sizes, got, want)
			}
		}
	}
}

// escapedShapes are texts of which escapes are a part, as programs write them.
var escapedShapes = []struct{ text, name, secret string }{
	{
		"Set-Cookie: x=PVE%3A§; path=/", "proxmox-ticket",
		"root%40pam%3A65A1B2C3%3A%3A" + strings.Repeat("kX9%2F", 9) + "%3D",
	},
	{`"url":"https:\/\/user:§@host\/x"`, "url-password", "p%40ssword"},
	{"next=https%3A%2F%2Fuser%3A§%40host%2Fpath", "url-password", "p%2540ssword"},
	{"next=https%3a%2f%2fuser%3a§%40host%2fpath", "url-password", "passw0rd"},
	{
		`"url":"https:\/\/§"`, "slack-webhook",
		`hooks.slack.com\/services\/` + `T01234567\/B01234567\/` + strings.Repeat("aB3d", 6),
	},
	{
		"u=https%3A%2F%2F§&x", "slack-webhook",
		"hooks.slack.com%2Fservices%2F" + "T01234567%2FB01234567%2F" + strings.Repeat("aB3d", 6),
	},
	{"secret abc§,", "azure-client-secret", "8Q" + "%7E" + strings.Repeat("aB3_-", 6) + "xY.z"},
	{`"ticket":"PVE:§"`, "proxmox-ticket", `root@pam:65A1B2C3::` + strings.Repeat(`kX9\/+Zq`, 8)},
	{"t=PVEVNC%3A§&x", "proxmox-ticket", "65A1B2C3%3A%3A" + strings.Repeat("kX9%2F%2BZq", 8)},
	{`{"CSRFPreventionToken":"§"}`, "proxmox-csrf-token", `65A1B2C3:` + strings.Repeat(`aB3\/x`, 8)},
	{"hash §\n", "password-hash", `\$` + `6\$saltsaltsaltsalt\$` + strings.Repeat("aB3./x", 14) + "xy"},
	{"root:§:", "password-hash", `\$` + `y\$j9T\$saltSALTsalt./\$` + strings.Repeat("aB3./", 8) + "xyz"},
	{"hash=§&", "password-hash", "%24" + "6%24saltsaltsaltsalt%24" + strings.Repeat("aB3.%2Fx", 14)},
	{`"hash":"§"`, "password-hash", `\u0024` + `6\u0024saltsaltsaltsalt\u0024` + strings.Repeat("aB3./x", 14)},
	{"HASH: §\n", "password-hash", "$$" + "6$$saltsaltsaltsalt$$" + strings.Repeat("aB3./x", 14)},
	{`"url":"https:\u002f\u002fuser:§@host"`, "url-password", "passw0rd"},
	{`"url":"https:\/\/user:§@host"`, "url-password", "pass\u0077ord"},
	{"next=https%253A%252F%252Fuser%253A§%2540host", "url-password", "passw0rd"},
	{"<a href=&#34;https:&#x2f;&#x2f;user&#58;§&#64;host&#34;>", "url-password", "passw0rd"},
	{`{\"Authorization\":\"Bearer §\"}`, "authorization", "abc.def"},
	{`token\u003d§\n`, "jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl-_x"},
	{
		"key=§&", "private-key",
		"-----BEGIN%20PRIVATE%20KEY-----%0A" + strings.Repeat("MIIB", 16) + "%0AMIIB%3D%3D%0A-----END%20PRIVATE%20KEY-----",
	},
}

func TestEscapedShapes(t *testing.T) {
	r, _ := New()
	for _, test := range escapedShapes {
		text := strings.ReplaceAll(test.text, secretHere, test.secret)
		want := strings.ReplaceAll(test.text, secretHere, "<sensitive:"+test.name+">")
		if got := cuts(t, r, text); got != want {
			t.Errorf("%q:\n got  %q\n want %q", text, got, want)
		}
	}
}

// TestShapesInEscapes writes each shape in each escape, and in some pairs of them.
func TestShapesInEscapes(t *testing.T) {
	r, _ := New()
	list := escapeEncodings()
	for i, outer := range append([]encoding{textEncoding("plain", strings.Clone)}, list...) {
		for j, inner := range list {
			if i > 0 && (i+j)%5 > 0 {
				continue
			}
			for _, test := range shapesOfPlatforms {
				text := outer.encode(inner.encode(strings.ReplaceAll(test.text, secretHere, test.secret)))
				want := strings.ReplaceAll(test.text, secretHere, "<sensitive:"+test.name+">")
				got := inner.decode(outer.decode(r.String(text))[0])[0]
				if got != want {
					t.Errorf("%s in %s: %q:\n got  %q\n want %q", inner.name, outer.name, text, got, want)
				}
				for _, sizes := range [][]byte{{1}, {7, 3}} {
					if got, want := chunked(t, r, []byte(text), sizes), r.String(text); got != want {
						t.Errorf("%q in pieces of %v:\n got  %q\n want %q", text, sizes, got, want)
					}
				}
			}
		}
	}
}

// cuts returns what becomes of a text, which must be the same wherever it is cut.
func cuts(t *testing.T, r *Redactor, text string) string {
	t.Helper()
	want := r.String(text)
	for cut := range len(text) {
		var out strings.Builder
		w := r.Writer(&out)
		_, _ = io.WriteString(w, text[:cut])
		_, _ = io.WriteString(w, text[cut:])
		if err := w.Close(); err != nil || out.String() != want {
			t.Fatalf("%q cut at %d: %v\n got  %q\n want %q", text, cut, err, out.String(), want)
		}
	}
	if got := chunked(t, r, []byte(text), []byte{1}); got != want {
		t.Fatalf("%q byte by byte:\n got  %q\n want %q", text, got, want)
	}
	return want
}

// TestNearMisses holds what looks a little like a credential and is none.
func TestNearMisses(t *testing.T) {
	r, _ := New()
	for _, text := range []string{
		"PVE: root@pam is not allowed", "PVE:version 8.2", "PVE%3Aversion", "see PVEVNC:5900",
		"the CSRFPreventionToken is missing", "CSRFPreventionToken: none", "no permission for ci@pve!build on /vms",
		"ci@pve!build=disabled",
		"ci@pve!build=0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0a",
		"8Q~short", "FY2024 8Q~4 results", "SharedAccessKeyName=RootManageSharedAccessKey", "SharedAccessKey=short",
		"AccountKey=", "sig=abc", "?sig=" + strings.Repeat("a", 39),
		"accountKey = data.azurerm_storage_account.main.primary_access_key", `"accountKey": "is not set, see the manual"`,
		"sharedaccesskeyname=RootManageSharedAccessKey",
		"https://hooks.slack.com/a/b", "see https://hooks.slack.com/ and https://hooks.slack-gov.com/", "PVE:root::1",
		"std::vector<PVE:x::y>",
		"awk '{print $1$2}'", "cost $5$6 in all", "s/$1$/$2a$/", "$6$ is SHA-512", "$6$rounds=4096$short",
		"$argon2id needs a library", "$y$ and $7$",
		"glpat- is a prefix", "glrt-short", "glft-", "GR1348941", "gldt-deploy-token", "a single-glagent-x",
		"ghp_", "ghs_install", "github_pat_", "xoxb-", "xoxd-", "xapp-1",
		"https://hooks.slack.com/services/", "https://hooks.slack.com/workflows/T0/A0", "https://api.slack.com/triggers/x",
		"hvs.", "hvs.short", " s.", "see packages. Then", "prices.amsterdam", " s.abcdefghijklmnopqrstuvwx",
		" s.aB3dE6gH9jK2mN5pQ8rS1tU45",
		"http://user@proxy:3128", `"url":"https:\/\/host\/a@b"`, "next=https%3A%2F%2Fhost%2Fuser%3Ax%40y",
		"next=https%3A%2F%2Fhost%3A8080",
		"AGE-SECRET-KEY-1", "aws_secret_access_key is not set", "SecretAccessKey: short",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "eyJub3QiOiJhIHRva2VuIn0",
	} {
		for _, e := range append(escapeEncodings(), textEncoding("plain", strings.Clone)) {
			if escaped := e.encode(text); r.String(escaped) != escaped {
				t.Errorf("%q as %s became %q", text, e.name, r.String(escaped))
			}
		}
	}
}

// TestOrdinaryTextStays holds what builds print with marks that escapes begin with.
func TestOrdinaryTextStays(t *testing.T) {
	r, _ := New(Secret{"PW", "n0t-in-any-of-them"}, Secret{"UTF8", "Schlüssel-日本"})
	for _, text := range []string{
		`C:\Windows\System32\drivers\etc\hosts`, `\\server\share\new\table\x41`, `C:\Program Files\Packer\8Q~4`,
		"100% of 5%25 and %zz", "a && b &amp; c &lt;tag&gt; &#8212;",
		"GET /x?a=%20b%2Fc&d=%E2%82%AC HTTP/1.1", "https://host:8080/a%40b?u=c%3Ad%40e",
		"https://example.com/?next=https%3A%2F%2Fhost%2Fa%40b",
		`{"msg":"line 1\nline 2\t\"quoted\" C:\\temp","sha256":"` + strings.Repeat("0a1b2c3d", 8) + `"}`,
		"sha256:" + strings.Repeat("9f", 32),
		"id 0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0, `code` and ``more``", "$$ is the process, $$HOME, $${var.x} and %{ if }",
		`\e[32mok\e[0m \\ \\\ \/ \- \u12 \x4 \777 \U1234`,
		`1795381756,vsphere-iso.x,ui,say,==> x: a%!(PACKER_COMMA) b\nnext`, `s/\$1\$/\$2a\$/`, "`n `t `$env:PATH `\"x`\"", "&#x110000; &#0; &#xD800; &unknown; &;",
		`\ud83d alone, \ud83d\u0041, \udd11\ud83d, \u{110000} \u{} \x{zz}`, "%00%ff%C3", `SGVsbG8gd29ybGQsIHRoaXMgaXMgbm90IHNlY3JldA==`,
	} {
		if got := cuts(t, r, text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}
