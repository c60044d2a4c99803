// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:33:00Z
// Spec: openspec/specs/logs/spec.md#requirement-unknown-credentials-are-recognised-by-their-shape
// Diagram: openspec/specs/logs/diagram.md#redactor

package logs

import "bytes"

// scanProxmoxToken recognises user@realm!name=UUID from the realm on. Only the UUID is hidden.
func scanProxmoxToken(c candidate) (int, int, verdict) {
	const uuid = 36
	from, whole := c.run(c.anchor, 128, tokenBytes)
	if !whole {
		return 0, 0, more
	}
	if from == c.anchor || from < len(c.text) && c.text[from] != '=' && c.text[from] != ':' {
		return 0, 0, no
	}
	end, whole := c.run(from+1, uuid+1, uuidBytes)
	switch {
	case !whole:
		return 0, 0, more
	case end-from-1 != uuid:
		return 0, 0, no
	}
	return from + 1, end, yes
}

// scanTicket recognises PVE:user@realm:TIME::SIGNATURE, and tickets without a user. All but the beginning is hidden.
func scanTicket(c candidate) (int, int, verdict) {
	const timeDigits = 8
	end, whole := c.run(c.anchor, maxParam, valueBytes)
	if !whole {
		return 0, 0, more
	}
	value, _, _ := bytes.Cut(c.text[c.anchor:end], []byte("&"))
	signature := bytes.LastIndex(value, []byte("::"))
	if signature < timeDigits || len(value)-signature < 20 {
		return 0, 0, no
	}
	user := bytes.IndexByte(value, '@')
	if (user < 1 || user > signature) && !allHex(value[signature-timeDigits:signature]) {
		return 0, 0, no
	}
	return c.anchor, c.anchor + len(value), yes
}

// allHex reports whether a text has only hexadecimal digits.
func allHex(text []byte) bool {
	return !bytes.ContainsFunc(text, func(r rune) bool { return r >= 0x80 || hexDigit[byte(r)] < 0 })
}
