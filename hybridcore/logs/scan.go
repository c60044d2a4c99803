// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:10Z
// Spec: openspec/specs/logs/spec.md#requirement-unknown-credentials-are-recognised-by-their-shape
// Diagram: openspec/specs/logs/diagram.md#redactor

package logs

import (
	"bytes"
	"strings"
)

// run returns the end of the bytes of a class from from on, at most limit of them; whole is false when the text ended
// first
// and more may follow.
func (c candidate) run(from, limit int, class *class) (end int, whole bool) {
	end = from
	for stop := min(len(c.text), from+limit); end < stop && class[c.text[end]]; {
		end++
	}
	return end, c.final || end < len(c.text) || end-from >= limit
}

// scanGitHub recognises the anchor and 20 letters and digits, or an installation token's number and JWT, and what of a
// token
// follows. Looking for letters and digits first keeps repeated anchors cheap, since those have an underscore.
func scanGitHub(c candidate) (int, int, verdict) {
	end, whole := c.run(c.anchor, maxToken, alnumBytes)
	if !whole {
		return 0, 0, more
	}
	if end-c.anchor < 20 {
		jwt, rest := []byte("_eyJ"), c.text[end:]
		switch {
		case end == c.anchor:
			return 0, 0, no
		case !c.final && len(rest) < len(jwt) && bytes.HasPrefix(jwt, rest):
			return 0, 0, more
		case !bytes.HasPrefix(rest, jwt):
			return 0, 0, no
		}
	}
	if end, whole = c.run(end, maxToken, tokenBytes); !whole {
		return 0, 0, more
	}
	return 0, len(bytes.TrimRight(c.text[:end], ".-")), yes
}

// scanToken returns a scan for an anchor followed by at least least bytes of a class. Dots and dashes at the end
// belong to
// the sentence around the token.
func scanToken(class *class, least int) func(candidate) (int, int, verdict) {
	return func(c candidate) (int, int, verdict) {
		end, whole := c.run(c.anchor, maxPlain, class)
		if !whole {
			return 0, 0, more
		}
		for end > c.anchor && (c.text[end-1] == '.' || c.text[end-1] == '-') {
			end--
		}
		if end-c.anchor < least {
			return 0, 0, no
		}
		return 0, end, yes
	}
}

// scanValue returns a scan for a named value: the anchor, then quotes, colons, equal signs and blanks, then at least
// least
// bytes of a value. Only the value is hidden.
func scanValue(least int) func(candidate) (int, int, verdict) {
	return func(c candidate) (int, int, verdict) {
		from, whole := c.run(c.anchor, 8, glueBytes)
		if !whole {
			return 0, 0, more
		}
		if from == c.anchor && c.text[c.anchor-1] != '=' {
			return 0, 0, no
		}
		end, whole := c.run(from, maxParam, valueBytes)
		switch {
		case !whole:
			return 0, 0, more
		case end-from < least:
			return 0, 0, no
		}
		return from, end, yes
	}
}

// scanAWS recognises an access key id: 4 letters and 16 more capitals and digits, standing alone.
func scanAWS(c candidate) (int, int, verdict) {
	if capitalBytes[c.before[1]] {
		return 0, 0, no
	}
	end, whole := c.run(4, 17, capitalBytes)
	switch {
	case !whole:
		return 0, 0, more
	case end != 20:
		return 0, 0, no
	}
	return 0, end, yes
}

// scanJWT recognises a signed (header.payload.signature) or encrypted (five parts) token. It must not begin inside a
// longer
// word.
func scanJWT(c candidate) (int, int, verdict) {
	if tokenBytes[c.before[1]] {
		return 0, 0, no
	}
	end, whole := c.run(0, maxToken, tokenBytes)
	if !whole {
		return 0, 0, more
	}
	end = len(bytes.TrimRight(c.text[:end], "."))
	dot := bytes.IndexByte(c.text[:end], '.')
	if dot < 8 || end < 24 {
		return 0, 0, no
	}
	if !bytes.HasPrefix(c.text[dot+1:end], []byte("eyJ")) && bytes.Count(c.text[:end], []byte(".")) < 4 {
		return 0, 0, no
	}
	return 0, end, yes
}

// scanHook recognises the path of a webhook: what kind it is of, and what makes it secret.
func scanHook(c candidate) (int, int, verdict) {
	end, whole := c.run(c.anchor, maxPlain, pathBytes)
	if !whole {
		return 0, 0, more
	}
	end = len(bytes.TrimRight(c.text[:end], "-"))
	if slash := bytes.IndexByte(c.text[c.anchor:end], '/'); slash < 1 || end-c.anchor-slash-1 < 20 {
		return 0, 0, no
	}
	return 0, end, yes
}

// scanKey recognises the value of a name when it is Base64 as a whole, with the quotes and marks between them.
func scanKey(c candidate) (int, int, verdict) {
	from, to, v := scanValue(20)(c)
	if v != yes {
		return 0, 0, v
	}
	if end, _ := c.run(from, maxParam, keyBytes); end < to {
		return 0, 0, no
	}
	return from, to, yes
}

// scanAzure recognises the client secret of an application: 3 characters, a digit, "Q~", and 31 to 34 more. The first
// 3 were
// passed on when the digit is read.
func scanAzure(c candidate) (int, int, verdict) {
	if !azureBytes[c.before[0]] || !azureBytes[c.before[1]] {
		return 0, 0, no
	}
	end, whole := c.run(c.anchor, 35, azureBytes)
	switch n := end - c.anchor; {
	case !whole:
		return 0, 0, more
	case n > 34 || n < 31:
		return 0, 0, no
	}
	return 0, end, yes
}

// scanOldVault recognises the tokens of Vault before version 1.10: "s." and 24 letters and digits.
func scanOldVault(c candidate) (int, int, verdict) {
	end, whole := c.run(c.anchor, 25, tokenBytes)
	switch {
	case !whole:
		return 0, 0, more
	case end-c.anchor < 24 || end-c.anchor > 24 && c.text[end-1] != '.':
		return 0, 0, no
	}
	value := c.text[c.anchor : c.anchor+24]
	digit := false
	for _, b := range value {
		if !alnumBytes[b] {
			return 0, 0, no
		}
		digit = digit || b >= '0' && b <= '9' || capitalBytes[b]
	}
	if !digit {
		return 0, 0, no // a word
	}
	return c.anchor - 2, c.anchor + 24, yes
}

// scanCrypt recognises the hash of a password: the method, parameters or salt, and after a dollar sign the hash.
func scanCrypt(c candidate) (int, int, verdict) {
	end, whole := c.run(c.anchor, maxPlain, cryptBytes)
	if !whole {
		return 0, 0, more
	}
	for end > c.anchor && strings.IndexByte(".,)!", c.text[end-1]) >= 0 {
		end--
	}
	last := bytes.LastIndexByte(c.text[:end], '$')
	if last < c.anchor || end-last-1 < 20 {
		return 0, 0, no
	}
	return 0, end, yes
}

// scanUserinfo recognises the password in scheme://user:password@host, and a long user without one, which is a token.
func scanUserinfo(c candidate) (int, int, verdict) {
	const maxUserinfo = 1 << 10
	stop := min(len(c.text), c.anchor+maxUserinfo)
	colon, at, i := -1, -1, c.anchor
	for ; i < stop && userinfoBytes[c.text[i]]; i++ {
		switch b := c.text[i]; {
		case b == '@':
			at = i // the last one: a password may hold others
		case b == ':' && colon < 0:
			colon = i
		}
	}
	switch {
	case i == len(c.text) && i-c.anchor < maxUserinfo && !c.final:
		return 0, 0, more
	case at < 0 || colon >= 0 && colon+1 == at:
		return 0, 0, no
	case colon >= 0 && colon < at:
		return colon + 1, at, yes
	case at-c.anchor < 20:
		return 0, 0, no
	}
	return c.anchor, at, yes
}

// oneWordSchemes and manyWordSchemes are the authentication schemes of HTTP (IANA registry, GitHub's "token", Azure's
// SharedKey, Proxmox has none) by how far their credentials reach: to the next blank, or to the end of line or quotes.
var (
	oneWordSchemes = map[string]bool{
		"bearer": true, "basic": true, "token": true, "negotiate": true, "sharedkey": true,
		"apikey": true,
	}
	manyWordSchemes = map[string]bool{"digest": true, "aws4-hmac-sha256": true, "ntlm": true, "hawk": true, "oauth": true}
)

// scanAuthorization recognises the value of an Authorization header in HTTP, JSON and Go notation.
func scanAuthorization(c candidate) (int, int, verdict) {
	from, whole := c.run(c.anchor, 8, glueBytes)
	if !whole {
		return 0, 0, more
	}
	if !bytes.ContainsAny(c.text[c.anchor:from], ":=") {
		return 0, 0, no
	}
	end, whole := c.run(from, maxParam, valueBytes)
	if !whole {
		return 0, 0, more
	}
	scheme := strings.ToLower(string(c.text[from:min(end, from+32)]))
	class, limit := valueBytes, maxToken
	switch {
	case oneWordSchemes[scheme]:
	case manyWordSchemes[scheme]:
		class, limit = parameterBytes, maxParam
	case end-from < 16:
		return 0, 0, no
	default:
		return from, end, yes
	}
	blank, whole := c.run(end, 8, blankBytes)
	if !whole {
		return 0, 0, more
	}
	last, whole := c.run(blank, limit, class)
	switch {
	case !whole:
		return 0, 0, more
	case blank == end || last-blank < 4:
		return 0, 0, no
	}
	return blank, last, yes
}

// class is a set of bytes.
type class [256]bool

// newClass returns the bytes that the function accepts.
func newClass(accept func(b byte) bool) *class {
	var c class
	for b := range c {
		c[b] = accept(byte(b))
	}
	return &c
}

// newClassOf returns letters and digits and the other bytes.
func newClassOf(other string) *class {
	return newClass(func(b byte) bool { return isAlnum(b) || strings.IndexByte(other, b) >= 0 })
}

var (
	alnumBytes   = newClassOf("")
	tokenBytes   = newClassOf("_-.")          // of URL-safe Base64 and JWT
	pathBytes    = newClassOf("/_-")          // of a webhook's path
	queryBytes   = newClassOf("%+/=_-")       // of an escaped Base64 value in a query
	cryptBytes   = newClassOf("./$=,-+%!()_") // of a crypt(5) hash, also where Packer escapes its commas
	uuidBytes    = newClassOf("-")
	keyBytes     = newClassOf("+/=")  // of a key in Base64
	azureBytes   = newClassOf("_~.-") // of a client secret
	capitalBytes = newClass(func(b byte) bool { return b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' })
	blankBytes   = newClass(func(b byte) bool { return b == ' ' || b == '\t' })

	// glueBytes stand between the name of a value and the value.
	glueBytes = newClass(func(b byte) bool { return strings.IndexByte(" \t\"':=[\\", b) >= 0 })
	// valueBytes make an unquoted value. Less-than ends it: a marker is not hidden again.
	valueBytes = newClass(func(b byte) bool { return b > ' ' && b < 0x7f && strings.IndexByte("\"'`<>,;[]{}\\", b) < 0 })
	// parameterBytes make the parameters of an authentication scheme, which reach to the end of the line.
	parameterBytes = newClass(func(b byte) bool { return b >= ' ' && b < 0x7f && b != '<' && b != '`' })
	// userinfoBytes may stand in a URL before the host.
	userinfoBytes = newClass(func(b byte) bool { return b > ' ' && b != 0x7f && strings.IndexByte("/?#\"'`<>\\", b) < 0 })
	// labelBytes make a PEM label.
	labelBytes = newClass(func(b byte) bool { return b == ' ' || capitalBytes[b] })
)
