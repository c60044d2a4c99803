// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:10Z
// Spec: openspec/specs/logs/spec.md#requirement-unknown-credentials-are-recognised-by-their-shape
// Diagram: openspec/specs/logs/diagram.md#redactor

package logs

import "encoding/binary"

// verdict is what a shape says about a text that begins with its anchor.
type verdict int

const (
	no   verdict = iota // not this credential
	yes                 // from..to is to be hidden
	more                // depends on text not yet seen
)

// candidate is a text from an anchor on, and what surrounds the decision.
type candidate struct {
	text   []byte  // begins with the anchor
	anchor int     // bytes of the anchor
	before [2]byte // the two bytes before, zero at the beginning of the stream
	final  bool    // no text follows: more is not an answer
}

// shape is a kind of credential that is recognised without being registered. scan must be a function of the whole stream
// alone: as long as bytes not yet seen could change its answer it says more, and it looks ahead at most maxHold bytes.
type shape struct {
	name string
	scan func(c candidate) (from, to int, v verdict)
}

// anchor is a fixed text of at least 3 bytes that a credential begins with. at is where in it the 5 bytes stand by which it is
// found (bytes after the anchor may be any): chosen to be rare in logs, at most 3 before the end.
type anchor struct {
	text  string
	at    int
	shape shape
}

const (
	maxHold  = 16 << 10 // bytes that a shape may hold back; a 4096-bit key has 3.3 KB
	maxToken = 8 << 10  // bytes of a token; the limit of HTTP servers for a header line
	maxParam = 2 << 10  // bytes of a named value or of parameters; hostile text may repeat the anchor within them
	maxPlain = 512      // bytes of a token without structure, for the same reason; the longest in use have some 170
)

// Shapes that several anchors have.
var (
	githubToken    = shape{"github-token", scanGitHub}
	gitlabToken    = shape{"gitlab-token", scanToken(tokenBytes, 16)}
	slackToken     = shape{"slack-token", scanToken(tokenBytes, 10)}
	slackHook      = shape{"slack-webhook", scanToken(pathBytes, 20)}
	awsKey         = shape{"aws-key-id", scanAWS}
	awsSecret      = shape{"aws-secret-key", scanValue(30)}
	authorization  = shape{"authorization", scanAuthorization}
	proxmoxToken   = shape{"proxmox-token", scanProxmoxToken}
	proxmoxTicket  = shape{"proxmox-ticket", scanTicket}
	vsphereSession = shape{"vsphere-session", scanValue(8)}
	azureKey       = shape{"azure-account-key", scanValue(20)}
	azureSecret    = shape{"azure-client-secret", scanAzure}
	vaultToken     = shape{"vault-token", scanToken(tokenBytes, 20)}
	vaultOldToken  = shape{"vault-token", scanOldVault}
	gitlabHeader   = shape{"gitlab-token", scanValue(8)}
	cryptHash      = shape{"password-hash", scanCrypt}
)

// shapeMarks are the marks of anchors.
var shapeMarks = func() []string {
	marks := make([]string, len(anchors))
	for i, a := range anchors {
		marks[i] = mark(a.shape.name)
	}
	return marks
}()

// pairs finds anchors by two adjoining pairs of bytes that begin at an even position; whether an anchor does so at at or
// at at+1 depends on its place in the text. Anchors are spread over 4 classes, so that the first pair of one and the second
// of another seldom meet.
type pairs struct {
	classes [1 << 16]uint8 // low half: classes of anchors with this first pair, high half: with this second pair
	list    [1 << 16]uint8 // index into first, 0 for none
	first   [][]pairHit    // anchors by first pair
}

// pairHit says that the first pair stands at offset off of an anchor.
type pairHit struct {
	anchor int32
	off    int32
}

// anchorPairs is the table over anchors.
var anchorPairs = newPairs(anchors)

// newPairs builds the table.
func newPairs(list []anchor) *pairs {
	p := &pairs{first: make([][]pairHit, 1)}
	after := uint8(0) // classes whose second pair may be anything
	for i, a := range list {
		for off := a.at; off < a.at+2; off++ {
			class := uint8(1) << (i % 3)
			if off+2 == len(a.text) {
				class = 1 << 3 // its second pair may be anything
			}
			one := pairOf([]byte(a.text), off)
			p.classes[one] |= class
			if p.list[one] == 0 {
				p.list[one] = uint8(len(p.first))
				p.first = append(p.first, nil)
			}
			p.first[p.list[one]] = append(p.first[p.list[one]], pairHit{int32(i), int32(off)})
			if rest := a.text[off+2:]; rest != "" {
				p.second(rest, class<<4)
			} else {
				after |= class << 4
			}
		}
	}
	for two := range p.classes { // once: every start of the program waits for it
		p.classes[two] |= after
	}
	return p
}

// second marks the pairs that begin with rest: one or 256.
func (p *pairs) second(rest string, class uint8) {
	if len(rest) > 1 {
		p.classes[pairOf([]byte(rest), 0)] |= class
		return
	}
	for high := range 256 {
		p.classes[int(rest[0])|high<<8] |= class
	}
}

// pairOf returns the two bytes at i, zero after the end.
func pairOf(text []byte, i int) uint16 {
	switch {
	case i+1 < len(text):
		return uint16(text[i]) | uint16(text[i+1])<<8
	case i < len(text):
		return uint16(text[i])
	}
	return 0
}

// anchorTexts returns the texts of all anchors.
func anchorTexts() []string {
	texts := make([]string, len(anchors))
	for i, a := range anchors {
		texts[i] = a.text
	}
	return texts
}

// findShapes appends the credentials in text that are recognised by shape, and returns the first position whose answer
// depends on text not yet seen, or the text's length.
func findShapes(text []byte, ctx [2]byte, final bool, found []match) ([]match, int) {
	s := shapeSearch{text: text, ctx: ctx, final: final, found: found, limit: len(text)}
	classes, i, last := &anchorPairs.classes, 0, uint32(0)
	for ; i+16 <= len(text); i += 16 {
		w, v := binary.LittleEndian.Uint64(text[i:]), binary.LittleEndian.Uint64(text[i+8:])
		low := uint32(classes[uint16(w)]) | uint32(classes[uint16(w>>16)])<<8 |
			uint32(classes[uint16(w>>32)])<<16 | uint32(classes[w>>48])<<24
		high := uint32(classes[uint16(v)]) | uint32(classes[uint16(v>>16)])<<8 |
			uint32(classes[uint16(v>>32)])<<16 | uint32(classes[v>>48])<<24
		all := uint64(low) | uint64(high)<<32 // its bytes are classes: the low half of one meets the high half of the next
		if all&(all>>12)&0x000F0F0F0F0F0F0F != 0 || last&(low>>4)&0xF != 0 {
			s.four(i-2, [...]uint32{last & (low >> 4 & 0xF), low & (low >> 12 & 0xF), low >> 8 & (low >> 20 & 0xF), low >> 16 & (low >> 28)})
			s.four(i+6, [...]uint32{low >> 24 & (high >> 4 & 0xF), high & (high >> 12 & 0xF), high >> 8 & (high >> 20 & 0xF), high >> 16 & (high >> 28)})
		}
		last = high >> 24
	}
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		a, b := uint32(classes[uint16(w)]), uint32(classes[uint16(w>>16)])
		c, d := uint32(classes[uint16(w>>32)]), uint32(classes[w>>48])
		if last&(a>>4)|a&(b>>4)|b&(c>>4)|c&(d>>4) != 0 {
			s.four(i-2, [...]uint32{last & (a >> 4), a & (b >> 4), b & (c >> 4), c & (d >> 4)})
		}
		last = d
	}
	for i = max(0, i-2); i < len(text); i += 2 {
		if classes[pairOf(text, i)]&(classes[pairOf(text, i+2)]>>4) != 0 {
			s.at(i)
		}
	}
	return s.found, s.limit
}

// shapeSearch is the state of findShapes.
type shapeSearch struct {
	text  []byte
	ctx   [2]byte
	final bool
	found []match
	limit int
}

// four looks at four pairs from position i on of which some have classes in common with the next.
func (s *shapeSearch) four(i int, common [4]uint32) {
	for _, c := range common {
		if c != 0 {
			s.at(i)
		}
		i += 2
	}
}

// at looks for the anchors of the pair of bytes at position i.
func (s *shapeSearch) at(i int) {
	for _, hit := range anchorPairs.first[anchorPairs.list[pairOf(s.text, i)]] {
		a, start := &anchors[hit.anchor], i-int(hit.off)
		if start < 0 || start >= s.limit || len(s.text)-start < len(a.text) || string(s.text[start:start+len(a.text)]) != a.text {
			continue
		}
		from, to, v := a.shape.scan(candidate{text: s.text[start:], anchor: len(a.text), before: s.before(start), final: s.final})
		switch v {
		case yes:
			s.found = append(s.found, match{anchor: start, start: start + from, end: start + to, label: -1 - hit.anchor, shape: true})
		case more:
			s.limit = min(s.limit, start)
		}
	}
}

// before returns the two bytes before a position.
func (s *shapeSearch) before(i int) [2]byte {
	switch i {
	case 0:
		return s.ctx
	case 1:
		return [2]byte{s.ctx[1], s.text[0]}
	}
	return [2]byte{s.text[i-2], s.text[i-1]}
}
