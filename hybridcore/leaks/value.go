// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:10:48Z
// Spec: openspec/specs/leaks/spec.md#requirement-settings-that-name-a-secret
// Diagram: openspec/specs/leaks/diagram.md#one-file

package leaks

import (
	"regexp"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// camel finds where a new word begins in a name such as adminPassword.
var camel = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// also are names of secrets beside those that hclfile knows of variables.
var also = regexp.MustCompile(`(^|_)(pass|pwd|passcode|secret_key|account_key|storage_key|sas_key|auth_key|auth_token|` +
	`passw(or)?d_?[0-9]|rootpw|community_string|credential|psk|wpa_passphrase)$`)

// notSecret are names that end as those of secrets do, and are of something public.
var notSecret = regexp.MustCompile(`(^|_)(id_token|no_token|public_key|public_key_token|max_token|next_token|page_token|continue_token|` +
	`(allow|enable|disable|require|use|lock|has|no|expire|need|generate|random|ask|want|with|without)[a-z_]*_(pass|password|passwd|token|secret))$`)

// secretName says whether a setting of that name is a secret, however its words are joined.
func secretName(name string) bool {
	if len(name) < 3 || len(name) > 100 || !keyed(name) {
		return false
	}
	name = strings.ToLower(camel.ReplaceAllString(name, "${1}_${2}"))
	name = strings.Trim(strings.NewReplacer("-", "_", ".", "_", "$", "").Replace(name), "_")
	return (hclfile.SecretName(name) || also.MatchString(name)) && !notSecret.MatchString(name)
}

// keyed says whether a name is like that of a secret.
func keyed(name string) bool {
	lower := strings.ToLower(name)
	for _, word := range []string{"pass", "pwd", "secret", "token", "cred", "auth", "key", "psk", "rootpw", "community"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

// words are values that no secret has: they say that there is none, or what it may be.
var words = regexp.MustCompile(`(?i)^(true|false|yes|no|on|off|null|nil|none|~|omit|undefined|empty|string|str|number|bool|` +
	`boolean|read|write|required|optional|prompt|ask|never|always|present|absent|auto|default|disabled|enabled|inherit|env|` +
	`changeme.*|locked|unlocked|set|unset|masked|[\^~<>=v]*[0-9]+(\.[0-9]+)+[\w.-]*|[0-9]|-+|\.+|\?+|=+|any|sensitive|secret|password|token|passwd)$`)

// references are how other programs write that a value stands elsewhere.
var references = regexp.MustCompile(`^(\$|%[A-Za-z_(]|@|&|\*[A-Za-z]|!|~/|\./|\.\./|<|/[\w.-]+/|[A-Za-z]:\\|vault:|op://|arn:|ENC\[|` +
	`file:|env:|ssm:|azurekeyvault|keyvault|(var|local|data|each|module|params|secrets|env|os|process|self|config|settings|` +
	`lookup|getenv|args|kwargs)[.(\[])`)

// setupPasses are the passes of Windows Setup: an answer file has <settings pass="oobeSystem">.
var setupPasses = regexp.MustCompile(`^(windowsPE|offlineServicing|generalize|specialize|auditSystem|auditUser|oobeSystem)$`)

// variable is one of a shell, alone.
var variable = regexp.MustCompile(`^\$[A-Za-z_][A-Za-z0-9_]*$`)

// stands says whether a value only stands for a secret: it is a reference, a template, or
// what people write to be replaced.
func stands(value string) bool {
	value = strings.TrimSpace(value)
	for _, sign := range []string{"${", "{{", "%{", "<%", "$(", "`", "%s", "%v", "%q", "ANSIBLE_VAULT", "<<"} {
		if strings.Contains(value, sign) {
			return true
		}
	}
	return value == "" || len(value) > 4096 || hclfile.Placeholder(value) || strings.Contains(value, "EXAMPLE") ||
		strings.Contains(value, "...") || strings.Contains(value, "…") || strings.Trim(value, "*xX.-_ #") == ""
}

// literal says whether what is set to a setting that names a secret is one.
func literal(value string) bool {
	value = strings.TrimSpace(value)
	return !stands(value) && !words.MatchString(value) && !references.MatchString(value) && !setupPasses.MatchString(value)
}

// maxRandom bounds a text that is taken for random bytes: longer ones are mostly data.
const maxRandom = 200

// random says whether a text has the entropy of random characters.
func random(value string) bool { return len(value) <= maxRandom && text.Random(value) }

// public are beginnings of random texts that everybody may know: keys, certificates and digests.
var public = []string{"AAAA", "MII", "h1:", "sha256", "sha384", "sha512", "ssh-", "LS0tLS1CRUdJTiBDRVJU"}

// veryRandom says whether a text looks like random bytes whatever it is called: long, of
// all kinds of characters, and no digest, key or certificate that is public.
func veryRandom(value string) bool {
	if len(value) < 32 || strings.ContainsAny(value, "/._~") && len(value) < 40 || len(value) > maxRandom ||
		!text.Coded(value) {
		return false
	}
	for _, start := range public {
		if strings.HasPrefix(value, start) {
			return false
		}
	}
	return strings.ContainsAny(value, "0123456789") && strings.ToLower(value) != value && strings.ToUpper(value) != value &&
		strings.Count(value, "/") <= 2 && strings.Count(value, ".") <= 2 && strings.Count(value, "-") <= 2 &&
		text.Entropy(value) >= 4.5
}

// mentioned says whether a credential in a program or in prose shows the form of one: its
// characters, or every second of them, follow each other as in the alphabet, or are few.
func mentioned(value string) bool {
	value = strings.ReplaceAll(value, "-", "")
	var kinds [256]bool
	few := 0
	for i := range len(value) {
		if !kinds[value[i]] {
			few++
		}
		kinds[value[i]] = true
	}
	return len(value) >= 16 && few <= 8 || follow(value, 1) || follow(value, 2)
}

// follow says whether six characters at a distance follow each other.
func follow(value string, distance int) bool {
	for start := range distance {
		run := 1
		for i := start + distance; i < len(value); i += distance {
			if before := value[i-distance]; value[i] != before && value[i] != before+1 {
				run = 0
			}
			if run++; run >= 6 {
				return true
			}
		}
	}
	return false
}
