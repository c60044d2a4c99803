// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:41:08Z
// Spec: openspec/specs/leaks/spec.md#requirement-a-secret-that-has-to-stay
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package waivers

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Ask stands in a proposed waiver for what only its author knows.
const Ask = "FILL IN"

// Propose is the block that would accept a secret, with what only its author knows to be
// filled in. Around is what stands around the secret: it salts the hash, so that the same
// secret has another hash elsewhere.
func Propose(kind, subject, secret, around string) string {
	salt := sha256.Sum256([]byte(subject + "\x00" + around))
	return fmt.Sprintf("waiver %q {\n  subject = %s\n  hash    = %q\n  owner   = %q\n  reason  = %q\n  expires = %q\n}",
		kind, quote(subject), digest(secret, salt[:saltBytes]), Ask, Ask, Ask)
}

// quote writes a text as HCL does.
func quote(value string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(value))
}

// digest hashes a secret.
func digest(secret string, salt []byte) string {
	key, err := pbkdf2.Key(sha256.New, secret, salt, rounds, sha256.Size)
	if err != nil { // of no hash function and no length that is not allowed
		return ""
	}
	return "sha256:" + hex.EncodeToString(salt) + ":" + hex.EncodeToString(key)
}

// split takes a hash apart.
func split(hash string) (salt, sum []byte, ok bool) {
	parts := strings.Split(hash, ":")
	if len(parts) != 3 || parts[0] != "sha256" {
		return nil, nil, false
	}
	salt, err := hex.DecodeString(parts[1])
	if err != nil || len(salt) != saltBytes {
		return nil, nil, false
	}
	sum, err = hex.DecodeString(parts[2])
	return salt, sum, err == nil && len(sum) == sha256.Size
}

// Hashes compares secrets with hashes until its time is up. It hashes a secret once with each salt.
type Hashes struct {
	Until time.Time
	Late  bool // something was not hashed
	known map[hashed]string
}

// hashed is what was hashed. The secret stands in it by its digest.
type hashed struct{ secret, salt string }

// of is the hash of a secret; empty when the time is up.
func (h *Hashes) of(secret string, salt []byte) string {
	sum := sha256.Sum256([]byte(secret))
	key := hashed{string(sum[:]), string(salt)}
	if known, ok := h.known[key]; ok {
		return known
	}
	if !time.Now().Before(h.Until) {
		h.Late = true
		return ""
	}
	if h.known == nil {
		h.known = map[hashed]string{}
	}
	h.known[key] = digest(secret, salt)
	return h.known[key]
}

// Of finds the waivers of a secret, whether they hold or not; the positions are those in the set. Those for which
// there was no time are not among them.
func (s Set) Of(h *Hashes, kind, subject, secret string) []int {
	var found []int
	for i, w := range s {
		if w.Kind != kind || w.Subject != subject {
			continue
		}
		if salt, _, ok := split(w.Hash); ok && subtle.ConstantTimeCompare([]byte(h.of(secret, salt)), []byte(w.Hash)) == 1 {
			found = append(found, i)
		}
	}
	return found
}
