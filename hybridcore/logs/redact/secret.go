// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:24Z
// Spec: openspec/specs/logs/spec.md#requirement-secret-looking-environment-variables-are-recognised
// Diagram: openspec/specs/logs/diagram.md#redactor

package redact

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/shape"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact/spell"
)

// Secret is a value that must not be printed, and the name of the variable that holds it. The name is printed in the
// value's place.
type Secret struct {
	Name  string
	Value string
}

// MinSecret is the number of characters that a value must have to be masked. Shorter values occur in ordinary words;
// masking them mangles text and gives them away by position. GitHub's runner and Packer have no such bound, GitLab's
// is 8.
const MinSecret = spell.MinForm

// MaxSecret is the number of bytes up to which a value is masked as a whole; of longer values only the lines are
// masked.
// It bounds what a writer holds back to about four times as much (hexadecimal of UTF-16).
const MaxSecret = spell.MaxWhole

// Warning says that a value is not masked, or only in part. It never holds the value.
type Warning struct {
	Name   string
	Reason string
}

// String returns the warning as one sentence.
func (w Warning) String() string { return fmt.Sprintf("%s: %s", w.Name, w.Reason) }

// check returns the trimmed value, and a warning when it cannot be masked as a whole. An empty value with an empty
// reason
// is a secret without content.
func (s Secret) check() (string, *Warning) {
	value := strings.TrimSpace(s.Value)
	switch n := utf8.RuneCountInString(value); {
	case n == 0:
		return "", nil
	case n < MinSecret:
		return "", &Warning{s.Name, fmt.Sprintf("value has %d characters and is not masked: use at least %d", n, MinSecret)}
	case len(value) > MaxSecret:
		return value, &Warning{
			s.Name,
			fmt.Sprintf("value has %d bytes: only its lines are masked (limit %d)", len(value), MaxSecret),
		}
	}
	return value, nil
}

// secretWords end a part of the name of a variable that holds a secret: GITHUB_TOKEN, NPM_AUTHTOKEN, PGPASSWORD.
var secretWords = []string{
	"TOKEN", "TOKENS", "SECRET", "SECRETS", "PASSWORD", "PASSWORDS", "PASSWD", "PASSPHRASE", "APIKEY", "ACCESSKEY",
	"SECRETKEY",
	"PRIVATEKEY", "WEBHOOK", "JWT", "COOKIE",
}

// secretParts are whole parts of such a name. Of these, KEY, CREDENTIALS and the like often hold a path instead.
var secretParts = map[string]bool{
	"PASS": true, "SSHPASS": true, "PWD": true, "SAS": true, "KEY": true, "KEYS": true, "CREDENTIAL": true,
	"CREDENTIALS": true, "CREDS": true,
}

// plainEndings end the names of variables that speak about a secret and do not hold one: AWS_WEB_IDENTITY_TOKEN_FILE,
// ACTIONS_ID_TOKEN_REQUEST_URL, AWS_ACCESS_KEY_ID.
var plainEndings = map[string]bool{
	"FILE": true, "PATH": true, "DIR": true, "DIRECTORY": true, "HOME": true, "SOCK": true, "URL": true, "URI": true,
	"ID":   true,
	"NAME": true, "USER": true, "USERNAME": true, "TYPE": true, "COUNT": true, "LENGTH": true, "TTL": true, "EXPIRY": true,
	"EXPIRES": true, "EXPIRATION": true, "ALGORITHM": true, "FORMAT": true, "ENABLED": true, "ASKPASS": true,
}

// SecretName reports whether a variable of this name holds a secret by its name: a part of it ends in a word such as
// TOKEN,
// SECRET or PASSWORD, or is KEY, PASS or PWD, and its last part does not say path, URL, identifier or the like.
func SecretName(name string) bool {
	secret, _ := classify(name)
	return secret
}

// classify reports whether the name is a secret's, and whether its value may as well be a path to the secret.
func classify(name string) (secret, maybePath bool) {
	upper := strings.ToUpper(name)
	parts := strings.FieldsFunc(upper, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
	if len(parts) == 0 || upper == "PWD" || upper == "OLDPWD" {
		return false, false
	}
	if upper == "DOCKER_AUTH_CONFIG" {
		return true, false
	}
	last := parts[len(parts)-1]
	if plainEndings[last] && !strings.Contains(upper, "WEBHOOK") {
		return false, false
	}
	for _, part := range parts {
		for _, word := range secretWords {
			if strings.HasSuffix(part, word) {
				return true, false
			}
		}
		if part == "PUBLIC" || part == "PUB" {
			return false, false
		}
		if secretParts[part] {
			secret, maybePath = true, part != "PASS" && part != "PWD" && part != "SSHPASS"
		}
	}
	return secret, maybePath
}

// FromEnviron returns the secrets of an environment in the form of os.Environ ("NAME=value"), in its order, chosen by
// SecretName. Values that cannot be secret are left out: empty ones, booleans, small numbers, and paths where a name
// such as
// SSH_KEY allows either. Of any other variable that holds a URL with a password (HTTPS_PROXY), the password is taken.
func FromEnviron(environ []string) []Secret {
	var secrets []Secret
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			continue
		}
		secret, maybePath := classify(name)
		if password := urlPassword(value); !secret && password != "" {
			secret, value = true, password
		}
		if !secret || trivial(value) || maybePath && pathLike(value) {
			continue
		}
		secrets = append(secrets, Secret{Name: name, Value: value})
	}
	return secrets
}

// urlPassword returns the decoded password of a URL, or "" when the value is no URL with a password.
func urlPassword(value string) string {
	if !strings.Contains(value, "://") {
		return ""
	}
	u, err := url.Parse(value)
	if err != nil || u.User == nil {
		return ""
	}
	password, _ := u.User.Password()
	return password
}

// trivial reports whether a value is a switch or a count and not a secret.
func trivial(value string) bool {
	value = strings.ToLower(strings.TrimSpace(value))
	switch value {
	case "", "true", "false", "yes", "no", "on", "off", "none", "null":
		return true
	}
	return len(value) < 4 && strings.Trim(value, "0123456789") == ""
}

// pathLike reports whether a value is the path of a file: it begins like one, has a second separator and none of the
// characters that Base64 has and paths lack.
func pathLike(value string) bool {
	if len(value) > 3 && value[1] == ':' && (value[2] == '\\' || value[2] == '/') {
		return true
	}
	for _, start := range []string{"/", "~/", "./", "../"} {
		if rest, ok := strings.CutPrefix(value, start); ok {
			return !strings.ContainsAny(value, "+=\n") && (start != "/" || strings.Contains(rest, "/"))
		}
	}
	return false
}

// mark returns what is printed in place of the value of a name. It has no byte that means something in JSON, CSV, shell
// quotes or Packer's machine-readable stream.
func mark(name string) string {
	const maxName = 64
	name = strings.Map(func(r rune) rune {
		if r < 0x80 && (shape.Alnum[byte(r)] || strings.ContainsRune("_.-", r)) {
			return r
		}
		return '_'
	}, name)
	if name == "" {
		return "<sensitive>"
	}
	return "<sensitive:" + name[:min(len(name), maxName)] + ">"
}
