// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:10Z
// Spec: openspec/specs/logs/spec.md#requirement-unknown-credentials-are-recognised-by-their-shape
// Diagram: openspec/specs/logs/diagram.md#redactor

// Package shape knows credentials that nobody has told the redactor: by the text that they begin with, and by what may
// follow it.
package shape

// Verdict is what a shape says about a text that begins with its anchor.
type Verdict int

const (
	No   Verdict = iota // not this credential
	Yes                 // from..to is to be hidden
	More                // depends on text not yet seen
)

// Candidate is a text from an anchor on, and what surrounds the decision.
type Candidate struct {
	Text   []byte  // begins with the anchor
	Anchor int     // bytes of the anchor
	Before [2]byte // the two bytes before, zero at the beginning of the stream
	Final  bool    // no text follows: more is not an answer
}

// Kind is a kind of credential that is recognised without being registered. scan must be a function of the whole
// stream alone: as long as bytes not yet seen could change its answer it says more, and it looks ahead at most
// MaxHold bytes.
type Kind struct {
	Name string
	Scan func(c Candidate) (from, to int, v Verdict)
}

// Anchor is a fixed text of at least 3 bytes that a credential begins with. at is where in it the 5 bytes stand by
// which it is found (bytes after the anchor may be any): chosen to be rare in logs, at most 3 before the end.
type Anchor struct {
	Text string
	At   int
	Kind Kind
}

const (
	MaxHold  = 16 << 10 // bytes that a shape may hold back; a 4096-bit key has 3.3 KB
	maxToken = 8 << 10  // bytes of a token; the limit of HTTP servers for a header line
	maxParam = 2 << 10  // bytes of a named value or of parameters; hostile text may repeat the anchor within them
	maxPlain = 512      // bytes of a token without structure, for the same reason; the longest in use have some 170
)
