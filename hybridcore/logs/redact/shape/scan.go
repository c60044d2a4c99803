// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:10Z
// Spec: openspec/specs/logs/spec.md#requirement-unknown-credentials-are-recognised-by-their-shape
// Diagram: openspec/specs/logs/diagram.md#redactor

package shape

import (
	"bytes"
	"strings"
)

// run returns the end of the bytes of a class from from on, at most limit of them; whole is false when the text ended
// first
// and more may follow.
func (c Candidate) run(from, limit int, class *Class) (end int, whole bool) {
	end = from
	for stop := min(len(c.Text), from+limit); end < stop && class[c.Text[end]]; {
		end++
	}
	return end, c.Final || end < len(c.Text) || end-from >= limit
}

// scanGitHub recognises the anchor and 20 letters and digits, or an installation token's number and JWT, and what of a
// token
// follows. Looking for letters and digits first keeps repeated anchors cheap, since those have an underscore.
func scanGitHub(c Candidate) (int, int, Verdict) {
	end, whole := c.run(c.Anchor, maxToken, Alnum)
	if !whole {
		return 0, 0, More
	}
	if end-c.Anchor < 20 {
		jwt, rest := []byte("_eyJ"), c.Text[end:]
		switch {
		case end == c.Anchor:
			return 0, 0, No
		case !c.Final && len(rest) < len(jwt) && bytes.HasPrefix(jwt, rest):
			return 0, 0, More
		case !bytes.HasPrefix(rest, jwt):
			return 0, 0, No
		}
	}
	if end, whole = c.run(end, maxToken, tokenBytes); !whole {
		return 0, 0, More
	}
	return 0, len(bytes.TrimRight(c.Text[:end], ".-")), Yes
}

// scanToken returns a scan for an anchor followed by at least least bytes of a class. Dots and dashes at the end
// belong to
// the sentence around the token.
func scanToken(class *Class, least int) func(Candidate) (int, int, Verdict) {
	return func(c Candidate) (int, int, Verdict) {
		end, whole := c.run(c.Anchor, maxPlain, class)
		if !whole {
			return 0, 0, More
		}
		for end > c.Anchor && (c.Text[end-1] == '.' || c.Text[end-1] == '-') {
			end--
		}
		if end-c.Anchor < least {
			return 0, 0, No
		}
		return 0, end, Yes
	}
}

// scanValue returns a scan for a named value: the anchor, then quotes, colons, equal signs and blanks, then at least
// least
// bytes of a value. Only the value is hidden.
func scanValue(least int) func(Candidate) (int, int, Verdict) {
	return func(c Candidate) (int, int, Verdict) {
		from, whole := c.run(c.Anchor, 8, glueBytes)
		if !whole {
			return 0, 0, More
		}
		if from == c.Anchor && c.Text[c.Anchor-1] != '=' {
			return 0, 0, No
		}
		end, whole := c.run(from, maxParam, valueBytes)
		switch {
		case !whole:
			return 0, 0, More
		case end-from < least:
			return 0, 0, No
		}
		return from, end, Yes
	}
}

// scanAWS recognises an access key id: 4 letters and 16 more capitals and digits, standing alone.
func scanAWS(c Candidate) (int, int, Verdict) {
	if capitalBytes[c.Before[1]] {
		return 0, 0, No
	}
	end, whole := c.run(4, 17, capitalBytes)
	switch {
	case !whole:
		return 0, 0, More
	case end != 20:
		return 0, 0, No
	}
	return 0, end, Yes
}

// scanJWT recognises a signed (header.payload.signature) or encrypted (five parts) token. It must not begin inside a
// longer
// word.
func scanJWT(c Candidate) (int, int, Verdict) {
	if tokenBytes[c.Before[1]] {
		return 0, 0, No
	}
	end, whole := c.run(0, maxToken, tokenBytes)
	if !whole {
		return 0, 0, More
	}
	end = len(bytes.TrimRight(c.Text[:end], "."))
	dot := bytes.IndexByte(c.Text[:end], '.')
	if dot < 8 || end < 24 {
		return 0, 0, No
	}
	if !bytes.HasPrefix(c.Text[dot+1:end], []byte("eyJ")) && bytes.Count(c.Text[:end], []byte(".")) < 4 {
		return 0, 0, No
	}
	return 0, end, Yes
}

// scanHook recognises the path of a webhook: what kind it is of, and what makes it secret.
func scanHook(c Candidate) (int, int, Verdict) {
	end, whole := c.run(c.Anchor, maxPlain, pathBytes)
	if !whole {
		return 0, 0, More
	}
	end = len(bytes.TrimRight(c.Text[:end], "-"))
	if slash := bytes.IndexByte(c.Text[c.Anchor:end], '/'); slash < 1 || end-c.Anchor-slash-1 < 20 {
		return 0, 0, No
	}
	return 0, end, Yes
}

// scanKey recognises the value of a name when it is Base64 as a whole, with the quotes and marks between them.
func scanKey(c Candidate) (int, int, Verdict) {
	from, to, v := scanValue(20)(c)
	if v != Yes {
		return 0, 0, v
	}
	if end, _ := c.run(from, maxParam, keyBytes); end < to {
		return 0, 0, No
	}
	return from, to, Yes
}

// scanAzure recognises the client secret of an application: 3 characters, a digit, "Q~", and 31 to 34 more. The first
// 3 were
// passed on when the digit is read.
func scanAzure(c Candidate) (int, int, Verdict) {
	if !azureBytes[c.Before[0]] || !azureBytes[c.Before[1]] {
		return 0, 0, No
	}
	end, whole := c.run(c.Anchor, 35, azureBytes)
	switch n := end - c.Anchor; {
	case !whole:
		return 0, 0, More
	case n > 34 || n < 31:
		return 0, 0, No
	}
	return 0, end, Yes
}

// scanOldVault recognises the tokens of Vault before version 1.10: "s." and 24 letters and digits.
func scanOldVault(c Candidate) (int, int, Verdict) {
	end, whole := c.run(c.Anchor, 25, tokenBytes)
	switch {
	case !whole:
		return 0, 0, More
	case end-c.Anchor < 24 || end-c.Anchor > 24 && c.Text[end-1] != '.':
		return 0, 0, No
	}
	value := c.Text[c.Anchor : c.Anchor+24]
	digit := false
	for _, b := range value {
		if !Alnum[b] {
			return 0, 0, No
		}
		digit = digit || b >= '0' && b <= '9' || capitalBytes[b]
	}
	if !digit {
		return 0, 0, No // a word
	}
	return c.Anchor - 2, c.Anchor + 24, Yes
}

// scanCrypt recognises the hash of a password: the method, parameters or salt, and after a dollar sign the hash.
func scanCrypt(c Candidate) (int, int, Verdict) {
	end, whole := c.run(c.Anchor, maxPlain, cryptBytes)
	if !whole {
		return 0, 0, More
	}
	for end > c.Anchor && strings.IndexByte(".,)!", c.Text[end-1]) >= 0 {
		end--
	}
	last := bytes.LastIndexByte(c.Text[:end], '$')
	if last < c.Anchor || end-last-1 < 20 {
		return 0, 0, No
	}
	return 0, end, Yes
}

// scanUserinfo recognises the password in scheme://user:password@host, and a long user without one, which is a token.
func scanUserinfo(c Candidate) (int, int, Verdict) {
	const maxUserinfo = 1 << 10
	stop := min(len(c.Text), c.Anchor+maxUserinfo)
	colon, at, i := -1, -1, c.Anchor
	for ; i < stop && userinfoBytes[c.Text[i]]; i++ {
		switch b := c.Text[i]; {
		case b == '@':
			at = i // the last one: a password may hold others
		case b == ':' && colon < 0:
			colon = i
		}
	}
	switch {
	case i == len(c.Text) && i-c.Anchor < maxUserinfo && !c.Final:
		return 0, 0, More
	case at < 0 || colon >= 0 && colon+1 == at:
		return 0, 0, No
	case colon >= 0 && colon < at:
		return colon + 1, at, Yes
	case at-c.Anchor < 20:
		return 0, 0, No
	}
	return c.Anchor, at, Yes
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
func scanAuthorization(c Candidate) (int, int, Verdict) {
	from, whole := c.run(c.Anchor, 8, glueBytes)
	if !whole {
		return 0, 0, More
	}
	if !bytes.ContainsAny(c.Text[c.Anchor:from], ":=") {
		return 0, 0, No
	}
	end, whole := c.run(from, maxParam, valueBytes)
	if !whole {
		return 0, 0, More
	}
	scheme := strings.ToLower(string(c.Text[from:min(end, from+32)]))
	class, limit := valueBytes, maxToken
	switch {
	case oneWordSchemes[scheme]:
	case manyWordSchemes[scheme]:
		class, limit = parameterBytes, maxParam
	case end-from < 16:
		return 0, 0, No
	default:
		return from, end, Yes
	}
	blank, whole := c.run(end, 8, Blank)
	if !whole {
		return 0, 0, More
	}
	last, whole := c.run(blank, limit, class)
	switch {
	case !whole:
		return 0, 0, More
	case blank == end || last-blank < 4:
		return 0, 0, No
	}
	return blank, last, Yes
}

// Class is a set of bytes.
type Class [256]bool

// newClass returns the bytes that the function accepts.
func newClass(accept func(b byte) bool) *Class {
	var c Class
	for b := range c {
		c[b] = accept(byte(b))
	}
	return &c
}

// ClassOf returns letters and digits and the other bytes.
func ClassOf(other string) *Class {
	return newClass(func(b byte) bool {
		return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || strings.IndexByte(other, b) >= 0
	})
}

// Sets that others use, too.
var (
	// Alnum are letters and digits.
	Alnum = ClassOf("")
	// Blank are blanks and tabs.
	Blank = newClass(func(b byte) bool { return b == ' ' || b == '\t' })
)

var (
	tokenBytes   = ClassOf("_-.")          // of URL-safe Base64 and JWT
	pathBytes    = ClassOf("/_-")          // of a webhook's path
	queryBytes   = ClassOf("%+/=_-")       // of an escaped Base64 value in a query
	cryptBytes   = ClassOf("./$=,-+%!()_") // of a crypt(5) hash, also where Packer escapes its commas
	uuidBytes    = ClassOf("-")
	keyBytes     = ClassOf("+/=")  // of a key in Base64
	azureBytes   = ClassOf("_~.-") // of a client secret
	capitalBytes = newClass(func(b byte) bool { return b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' })

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
