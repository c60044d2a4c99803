// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:10Z
// Spec: openspec/specs/logs/spec.md#requirement-unknown-credentials-are-recognised-by-their-shape
// Diagram: openspec/specs/logs/diagram.md#redactor

package shape

import "bytes"

const (
	maxLabel = 64 // bytes of a PEM label; the longest in use, "ENCRYPTED PRIVATE KEY", has 21
	keyLine  = 40 // Base64 characters that make a line one of a key; PEM has 64, PuTTY 64, OpenSSH 70
)

// scanPEM recognises a private key, in lines or with \n written out, whatever a log puts in front of each line. It
// ends at
// the END line, or before the first two lines that do not look like a key, or after maxHold bytes, so that a forged
// BEGIN
// line does not hide what follows.
func scanPEM(c Candidate) (int, int, Verdict) {
	label, whole := c.run(c.Anchor, maxLabel, labelBytes)
	if !whole {
		return 0, 0, More
	}
	frame := []byte("-----")
	if rest := c.Text[label:]; len(rest) < len(frame) && !c.Final && bytes.HasPrefix(frame, rest) {
		return 0, 0, More
	}
	if !bytes.HasPrefix(c.Text[label:], frame) || !bytes.Contains(c.Text[c.Anchor:label], []byte("PRIVATE KEY")) {
		return 0, 0, No
	}
	block := pemBlock{text: c.Text[:min(len(c.Text), MaxHold)], pos: label, whole: c.Final || len(c.Text) >= MaxHold}
	return block.scan()
}

// pemBlock walks over the lines after a BEGIN label.
type pemBlock struct {
	text  []byte
	pos   int
	whole bool // nothing after text matters
}

// scan returns the extent of the block.
func (p pemBlock) scan() (int, int, Verdict) {
	short := -1 // where a line began that may be the last of the key
	for {
		line, next, ok := p.line()
		if !ok {
			return 0, 0, More
		}
		if i := bytes.Index(line, []byte("-----END")); i >= 0 {
			end := p.pos + len(line)
			if j := bytes.Index(line[i+8:], []byte("-----")); j >= 0 {
				end = p.pos + i + 8 + j + 5
			}
			return 0, end, Yes
		}
		switch {
		case bytes.Contains(line, []byte("-----BEGIN")):
			return 0, p.pos, Yes
		case isKeyLine(line):
			short = -1
		case short >= 0:
			return 0, short, Yes
		default:
			short = p.pos
		}
		if next >= len(p.text) {
			if !p.whole {
				return 0, 0, More // the next line decides
			}
			if short >= 0 {
				return 0, short, Yes
			}
			return 0, len(p.text), Yes
		}
		p.pos = next
	}
}

// line returns the line at pos and where the next begins. It is not ok when the line may go on in text not yet seen.
func (p pemBlock) line() (line []byte, next int, ok bool) {
	rest := p.text[p.pos:]
	end, width, within := bytes.IndexByte(rest, '\n'), 1, rest
	if end >= 0 {
		within = rest[:end]
	}
	if i := bytes.Index(within, []byte(`\n`)); i >= 0 {
		end, width = i, 2
	}
	if end < 0 {
		return rest, len(p.text), p.whole
	}
	return rest[:end], p.pos + end + width, true
}

// isKeyLine reports whether a line belongs inside a private key: blank, a header, or with a long run of Base64.
func isKeyLine(line []byte) bool {
	trimmed := bytes.Trim(line, " \t\r\"',-\\")
	if len(trimmed) == 0 {
		return true
	}
	for _, header := range []string{"Proc-Type:", "DEK-Info:", "Comment:", "Version:"} {
		if bytes.Contains(line, []byte(header)) {
			return true
		}
	}
	run := 0
	for _, b := range line {
		if !Alnum[b] && b != '+' && b != '/' && b != '=' {
			run = 0
			continue
		}
		if run++; run >= keyLine {
			return true
		}
	}
	return false
}
