// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:33:00Z
// Spec: openspec/specs/logs/spec.md#requirement-unknown-credentials-are-recognised-by-their-shape
// Diagram: openspec/specs/logs/diagram.md#redactor

package shape

import (
	"bytes"
)

// scanProxmoxToken recognises user@realm!name=UUID from the realm on. Only the UUID is hidden.
func scanProxmoxToken(c Candidate) (int, int, Verdict) {
	const uuid = 36
	from, whole := c.run(c.Anchor, 128, tokenBytes)
	if !whole {
		return 0, 0, More
	}
	if from == c.Anchor || from < len(c.Text) && c.Text[from] != '=' && c.Text[from] != ':' {
		return 0, 0, No
	}
	end, whole := c.run(from+1, uuid+1, uuidBytes)
	switch {
	case !whole:
		return 0, 0, More
	case end-from-1 != uuid:
		return 0, 0, No
	}
	return from + 1, end, Yes
}

// scanTicket recognises PVE:user@realm:TIME::SIGNATURE, and tickets without a user. All but the beginning is hidden.
func scanTicket(c Candidate) (int, int, Verdict) {
	const timeDigits = 8
	end, whole := c.run(c.Anchor, maxParam, valueBytes)
	if !whole {
		return 0, 0, More
	}
	value, _, _ := bytes.Cut(c.Text[c.Anchor:end], []byte("&"))
	signature := bytes.LastIndex(value, []byte("::"))
	if signature < timeDigits || len(value)-signature < 20 {
		return 0, 0, No
	}
	user := bytes.IndexByte(value, '@')
	if (user < 1 || user > signature) && !allHex(value[signature-timeDigits:signature]) {
		return 0, 0, No
	}
	return c.Anchor, c.Anchor + len(value), Yes
}

// allHex reports whether a text has only hexadecimal digits.
func allHex(text []byte) bool {
	return len(bytes.Trim(text, "0123456789abcdefABCDEF")) == 0
}
