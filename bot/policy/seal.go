// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:17:02Z
// Spec: openspec/specs/bot/spec.md#requirement-tickets
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package policy

import (
	"bytes"
	"compress/flate"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// KeyVariable names the environment variable with the keys of tickets.
const KeyVariable = "PACKER_HYBRID_TICKET_KEY"

// Bounds of tickets and keys.
const (
	minKey    = 32      // bytes: as long as the MAC
	maxKeys   = 8       // of a rotation
	maxTicket = 60_000  // bytes: GitHub takes 65,535 characters for all inputs of a dispatch together
	maxInside = 4 << 20 // bytes of the decision in it
)

// form is the version of a ticket's text, which has four parts with dots between
// them: the form, the key's identifier, the decision as deflated JSON, and the
// MAC of all before it.
const form = "pht1"

// label keeps the MAC of a ticket apart from any other use of the key.
const label = "packer-hybrid ticket\x00"

// keyHint is what to do about a key that is missing or wrong.
const keyHint = "make one with `openssl rand -base64 32`, and give it as " + KeyVariable + " to the bot, and to the job " +
	"that plans: at GitHub as a secret of the environment packer-hybrid-state, at GitLab as a masked, protected " +
	"variable of " +
	"that environment"

// Keys sign and verify tickets: the first one signs, all verify.
type Keys []key

// Tickets are how decisions travel to jobs.
type Tickets struct {
	Keys     Keys
	Audience Audience
}

type key struct {
	id    string // of eight hex digits; tells nothing about the key
	value []byte
}

// String keeps the keys themselves out of logs.
func (k Keys) String() string { return fmt.Sprintf("%d keys of tickets", len(k)) }

// GoString keeps the keys themselves out of logs.
func (k Keys) GoString() string { return k.String() }

// ParseKeys reads keys in base64, with commas between them. Its error says
// nothing of them but what to do.
func ParseKeys(text string) (Keys, error) {
	var all Keys
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		value, err := base64.StdEncoding.Strict().DecodeString(one)
		if err != nil {
			return nil, hybridcore.Usagef("%s: key %d is not base64: %s", KeyVariable, len(all)+1, keyHint)
		}
		if len(value) < minKey {
			return nil, hybridcore.Usagef("%s: key %d has %d bytes, and needs %d: %s", KeyVariable, len(all)+1, len(value),
				minKey, keyHint)
		}
		sum := sha256.Sum256(append([]byte("packer-hybrid ticket key\x00"), value...))
		all = append(all, key{hex.EncodeToString(sum[:4]), value})
	}
	switch {
	case len(all) == 0:
		return nil, hybridcore.Usagef("%s is not set: %s", KeyVariable, keyHint)
	case len(all) > maxKeys:
		return nil, hybridcore.Usagef("%s has %d keys; at most %d are taken: remove the old ones", KeyVariable, len(all),
			maxKeys)
	}
	return all, nil
}

// mac is the MAC in base64, which has one form for it: the decoder would take
// line breaks too.
func (k key) mac(signed string) string {
	h := hmac.New(sha256.New, k.value)
	_, _ = io.WriteString(h, label+signed) // a hash takes everything
	return armor(h.Sum(nil))
}

// armor is the base64 of a ticket's parts, which a shell and a CI system leave as it is.
func armor(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// Seal makes the text of a ticket.
func (k Keys) Seal(t Ticket) ([]byte, error) {
	if len(k) == 0 {
		return nil, hybridcore.Blockedf("there is no key to sign tickets with: %s", keyHint)
	}
	inside, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encoding a ticket: %w", err)
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err == nil {
		_, err = w.Write(inside)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("packing a ticket: %w", err)
	}
	signed := form + "." + k[0].id + "." + armor(packed.Bytes())
	sealed := signed + "." + k[0].mac(signed)
	if len(sealed) > maxTicket || len(inside) > maxInside {
		return nil, hybridcore.Usagef("the decision on %d targets does not fit into a ticket of %d bytes: name fewer "+
			"images or platforms", len(t.Cells), maxTicket)
	}
	return []byte(sealed), nil
}

// Open verifies the text of a ticket and reads it. Nothing in it is read before
// its MAC was verified.
func (k Keys) Open(sealed []byte) (Ticket, error) {
	if len(sealed) > maxTicket {
		return Ticket{}, fmt.Errorf("it has %d bytes, and at most %d are read", len(sealed), maxTicket)
	}
	parts := strings.Split(string(sealed), ".")
	if len(parts) != 4 || parts[0] != form {
		return Ticket{}, fmt.Errorf("it is not of the form %s; the bot and its jobs need the same version of packer-hybrid",
			form)
	}
	if !k.verify(parts[1], strings.Join(parts[:3], "."), parts[3]) {
		return Ticket{}, errors.New("its MAC is not by a key in " + KeyVariable +
			" of this job: the bot and its jobs need the same one")
	}
	packed, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil {
		return Ticket{}, errors.New("its text is broken")
	}
	inside, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxInside+1))
	if err != nil || len(inside) > maxInside {
		return Ticket{}, errors.New("its text is broken")
	}
	var t Ticket
	if err := json.Unmarshal(inside, &t); err != nil {
		return Ticket{}, fmt.Errorf("its decision is broken: %w", err)
	}
	return t, nil
}

// verify says whether a MAC is by one of the keys. The identifier only says which
// one is to be tried.
func (k Keys) verify(id, signed, mac string) bool {
	for _, one := range k {
		if one.id == id && hmac.Equal([]byte(mac), []byte(one.mac(signed))) {
			return true
		}
	}
	return false
}
