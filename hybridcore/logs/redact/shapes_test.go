// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:22:23Z
// Spec: openspec/specs/logs/spec.md#requirement-unknown-credentials-are-recognised-by-their-shape
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func TestShapes(t *testing.T) {
	alnum := "abcdEFGH0123456789abcdEFGH0123456789"
	jwt := "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl-_x"
	r, _ := New()
	for text, want := range map[string]string{
		"push ghp_" + alnum + ".":                                 "push <sensitive:github-token>.",
		"x%3Aghs_" + alnum + "@github.com":                        "x%3A<sensitive:github-token>@github.com",
		"ghs_1234567_" + jwt + " ok":                              "<sensitive:github-token> ok",
		"github_pat_11ABCDE0123456789abcde_" + alnum:              "<sensitive:github-token>",
		`"glpat-ABCDEFGHIJKLMNOPQRST"`:                            `"<sensitive:gitlab-token>"`,
		"xoxb-123456789012-abcdef":                                "<sensitive:slack-token>",
		"https://hooks.slack.com/services/T000/B000/XXXXXXXXXXXX": "https://<sensitive:slack-webhook>",
		"id AKIAIOSFODNN7EXAMPLE,":                                "id <sensitive:aws-key-id>,",
		"token " + jwt + ".":                                      "token <sensitive:jwt>.",
		`\n` + jwt:                                                `\n<sensitive:jwt>`,
		"Authorization: Bearer abcdefgh\r\nHost: x": "Authorization: Bearer " +
			"<sensitive:authorization>\r\nHost: x",
		`{"authorization":"Basic dXNlcjpwYXNz","a":1}`: `{"authorization":"Basic <sensitive:authorization>","a":1}`,
		"map[Authorization:[Bearer abc.def] Accept:[*/*]]": "map[Authorization:[Bearer " +
			"<sensitive:authorization>] Accept:[*/*]]",
		"Authorization: Digest username=\"u\", response=\"r\"\n": "Authorization: Digest " +
			"<sensitive:authorization>\n",
		"Authorization: PVEAPIToken=root@pam!ci=01234567-89ab": "Authorization: <sensitive:authorization>",
		"-H PVEAPIToken=root@pam!ci=0123-4567 -k":              "-H PVEAPIToken=<sensitive:proxmox-token> -k",
		"Cookie: PVEAuthCookie=PVE:root@pam:ABCDEF::x":         "Cookie: PVEAuthCookie=<sensitive:proxmox-ticket>",
		"vmware-api-session-id: b00db39f948d13ea1e59b4d6fce56389": "vmware-api-session-id: " +
			"<sensitive:vsphere-session>",
		`vmware_soap_session="52b5395a"; Path=/`:                           `vmware_soap_session="<sensitive:vsphere-session>"; Path=/`,
		"?sv=2024&sig=abc%2Bdefghijklmnopqrstuvwxyz0123456789ABCD%3D&se=1": "?sv=2024&<sensitive:azure-sas>&se=1",
		"PRIVATE-TOKEN: abcdefghijkl":                                      "PRIVATE-TOKEN: <sensitive:gitlab-token>",
		"passwd $6$rounds=4096$salt$" + alnum + alnum:                      "passwd <sensitive:password-hash>",
		"https://0123456789abcdefghijklmn@host/":                           "https://<sensitive:url-password>@host/",

		// what is no credential
		"ghp_short":                  "ghp_short",
		"git@github.com:o/r.git":     "git@github.com:o/r.git",
		"ssh://git@github.com/o/r":   "ssh://git@github.com/o/r",
		"https://host:8080/a@b":      "https://host:8080/a@b",
		"https://host/?q=a:b@c":      "https://host/?q=a:b@c",
		"no authorization to do so":  "no authorization to do so",
		"Authorization: denied":      "Authorization: denied",
		"AuthorizationFailed: x y z": "AuthorizationFailed: x y z",
		"MAKIAIOSFODNN7EXAMPLE":      "MAKIAIOSFODNN7EXAMPLE",
		"AKIAIOSFODNN7EXAMPLES":      "AKIAIOSFODNN7EXAMPLES",
		"keyJhbGciOiJI.eyJzdWIiOiIx": "keyJhbGciOiJI.eyJzdWIiOiIx",
		"config=abc&dig=1":           "config=abc&dig=1",

		"AccountName=x;AccountKey=QUJDREVGR0hJSktMTU5PUA==;E": "AccountName=x;AccountKey=<sensitive:azure-account-key>;E",
		"Get \"https://user:p@ss:w@host:443/x\": refused": "Get \"https://user:<sensitive:url-password>@host:443/x\": " +
			"refused",
	} {
		if got := r.String(text); got != want {
			t.Errorf("%q:\n got  %q\n want %q", text, got, want)
		}
	}
}

func TestPrivateKeys(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ecDER, err := x509.MarshalECPrivateKey(ecKey)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := New()
	for label, der := range map[string][]byte{
		"RSA PRIVATE KEY": x509.MarshalPKCS1PrivateKey(rsaKey),
		"EC PRIVATE KEY":  ecDER,
	} {
		key := string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
		prefixed := "    x: " + strings.ReplaceAll(strings.TrimSpace(key), "\n", "\n    x: ") + "\n    x: done\n"
		lines := strings.SplitAfter(key, "\n")
		for name, c := range map[string]struct{ text, want string }{
			"plain":    {"a " + key + "b\n", "a <sensitive:private-key>\nb\n"},
			"prefixed": {prefixed, "    x: <sensitive:private-key>\n    x: done\n"},
			"json":     {`{"key":` + encodeJSON(key, false) + `,"n":1}`, `{"key":"<sensitive:private-key>\n","n":1}`},
			"crlf":     {strings.ReplaceAll(key, "\n", "\r\n") + "b", "<sensitive:private-key>\r\nb"},
			"head":     {strings.Join(lines[:3], "") + "next, line\nlast\n", "<sensitive:private-key>next, line\nlast\n"},
		} {
			if got := r.String(c.text); got != c.want {
				t.Errorf("%s %s:\n got  %q\n want %q", label, name, got, c.want)
			}
		}
	}
	for _, label := range []string{"CERTIFICATE", "PUBLIC KEY", "OPENSSH PUBLIC KEY"} {
		block := string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: ecDER}))
		if got := r.String(block); got != block {
			t.Errorf("%s was masked: %q", label, got)
		}
	}
	forged := "-----BEGIN RSA PRIVATE KEY-----\nerror: the build failed\nbecause of x\n"
	if got := r.String(forged); !strings.Contains(got, "the build failed") {
		t.Errorf("a forged header hides what follows: %q", got)
	}
}
