// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:12:38Z
// Spec: openspec/specs/leaks/spec.md#requirement-waivers
// Diagram: openspec/specs/leaks/diagram.md#one-waiver

// Package waivers reads waivers.hcl: what somebody has accepted for a time, with the
// reason. Secrets stand in it as salted hashes only.
package waivers

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// FileName is where waivers stand, at the top of the project.
const FileName = "waivers.hcl"

// Kind is the kind of findings about waivers.
const Kind = "waiver"

// Rules of findings about waivers.
const (
	RuleExpired  = "waiver-expired"
	RuleStale    = "waiver-stale"
	RuleInForce  = "waiver-in-force"
	RuleNotYet   = "waiver-not-yet"
	RuleRefused  = "waiver-refused"
	RuleBadField = "waiver-setting"
)

// Leak is the kind of waivers of secrets in plain text.
const Leak = "leak"

// kinds are what can be waived.
var kinds = []string{Leak}

// Bounds: of waivers in a file, of a reason in bytes, and of the work of a hash. The work
// makes a weak secret slower to guess; it does not make it safe to show.
const (
	maxWaivers = 500
	// A hash is slow to compare: each leak of a file is compared with each of its waivers.
	maxOfSubject = 20
	maxReason    = 500
	rounds       = 4096
	saltBytes    = 8
)

// Waiver accepts one thing until it expires.
type Waiver struct {
	Kind    string
	Subject string // a file
	Hash    string // sha256:SALT:DIGEST of what is accepted
	Owner   string
	Reason  string
	Expires time.Time // the first moment at which it does not hold
	Line    int
}

// Set are the waivers of one file.
type Set []Waiver

// Read reads the waivers of a tree; without the file there are none. What is wrong with
// one is a finding, and it is left out.
func Read(tree fs.FS) (Set, []hybridcore.Finding) {
	file, err := hclfile.ReadFS(tree, FileName, hclfile.Project())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, hclfile.Findings(FileName, err)
	}
	r := reader{file: file}
	for _, attr := range hclfile.SortedAttributes(file.Body) {
		r.refuse(attr.NameRange, fmt.Sprintf("the setting %q stands outside of a block", attr.Name), blockHint)
	}
	for i, block := range file.Body.Blocks {
		if i == maxWaivers {
			r.refuse(block.TypeRange, fmt.Sprintf("more than %d waivers", maxWaivers), "remove what they are about")
			break
		}
		r.block(block)
	}
	return r.set, r.findings
}

// blockHint shows the form.
const blockHint = `write waiver "leak" { … } with subject, hash, owner, reason and expires, each on a line of its own`

// reader reads one file.
type reader struct {
	file     *hclfile.File
	set      Set
	findings []hybridcore.Finding
}

func (r *reader) refuse(at hcl.Range, message, hint string) {
	f := r.file.Finding(hybridcore.KindSchema, at, message, hint)
	f.Rule = RuleBadField
	r.findings = append(r.findings, f)
}

func (r *reader) block(block *hclsyntax.Block) {
	before := len(r.findings)
	switch {
	case block.Type != "waiver":
		r.refuse(block.TypeRange, fmt.Sprintf("unknown block %q", block.Type), blockHint)
		return
	case len(block.Labels) != 1:
		r.refuse(block.TypeRange, "a waiver has one label, its kind", blockHint)
		return
	case block.Labels[0] != Leak:
		r.refuse(block.LabelRanges[0], fmt.Sprintf("unknown kind of waiver %q%s", block.Labels[0],
			text.DidYouMean(block.Labels[0], kinds)), "kinds: "+strings.Join(kinds, ", "))
		return
	}
	for _, inside := range block.Body.Blocks {
		r.refuse(inside.TypeRange, fmt.Sprintf("a block %q does not belong here", inside.Type), blockHint)
	}
	w := Waiver{Kind: block.Labels[0], Line: block.TypeRange.Start.Line}
	expires := ""
	fields := map[string]*string{
		"subject": &w.Subject, "hash": &w.Hash, "owner": &w.Owner, "reason": &w.Reason, "expires": &expires,
	}
	for _, attr := range hclfile.SortedAttributes(block.Body) {
		r.field(attr, fields)
	}
	for _, name := range []string{"subject", "hash", "owner", "reason", "expires"} {
		if *fields[name] == "" && block.Body.Attributes[name] == nil {
			r.refuse(block.TypeRange, fmt.Sprintf("the waiver has no %s", name), blockHint)
		}
	}
	if len(r.findings) > before {
		return
	}
	day, err := time.Parse(time.DateOnly, expires)
	if err != nil {
		r.refuse(block.Body.Attributes["expires"].Expr.Range(), "expires is no day", `write one as "2027-01-31"`)
		return
	}
	w.Expires = day.AddDate(0, 0, 1)
	if _, _, ok := split(w.Hash); !ok {
		r.refuse(block.Body.Attributes["hash"].Expr.Range(), "hash is none of a waiver",
			"copy it from the finding: sha256:SALT:DIGEST")
		return
	}
	same := 0
	for _, other := range r.set {
		if other.Subject == w.Subject {
			same++
		}
	}
	if same == maxOfSubject {
		r.refuse(block.TypeRange, fmt.Sprintf("more than %d waivers of %s", maxOfSubject, w.Subject),
			"remove what they are about")
		return
	}
	r.set = append(r.set, w)
}

// field reads one setting.
func (r *reader) field(attr *hclsyntax.Attribute, fields map[string]*string) {
	to := fields[attr.Name]
	if to == nil {
		r.refuse(attr.NameRange, fmt.Sprintf("unknown setting %q%s", attr.Name,
			text.DidYouMean(attr.Name, []string{"subject", "hash", "owner", "reason", "expires"})), blockHint)
		return
	}
	literal, problems := r.file.Literal(attr)
	if len(problems) > 0 {
		r.findings = append(r.findings, problems...)
		return
	}
	if literal.Value.Type() != cty.String || literal.Value.IsNull() {
		r.refuse(attr.Expr.Range(), attr.Name+" is no text", blockHint)
		return
	}
	*to = strings.TrimSpace(literal.Value.AsString())
	switch value := *to; {
	case value == "" || value == Ask:
		r.refuse(attr.Expr.Range(), attr.Name+" is not filled in", "say it, so that whoever reads it later knows")
	case len(value) > maxReason:
		r.refuse(attr.Expr.Range(), fmt.Sprintf("%s has more than %d bytes", attr.Name, maxReason), "shorten it")
	}
}

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

// Of finds the waivers of a secret, whether they hold or not; the positions are those in the set.
func (s Set) Of(kind, subject, secret string) []int {
	var found []int
	for i, w := range s {
		if w.Kind != kind || w.Subject != subject {
			continue
		}
		if salt, _, ok := split(w.Hash); ok && subtle.ConstantTimeCompare([]byte(digest(secret, salt)), []byte(w.Hash)) == 1 {
			found = append(found, i)
		}
	}
	return found
}

// Holds says whether a waiver has not expired.
func (w Waiver) Holds(now time.Time) bool { return now.Before(w.Expires) }

// Finding is one about a waiver of the tree.
func (w Waiver) Finding(rule string, severity hybridcore.Severity, message, hint string) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: Kind, Rule: rule, Subject: w.Subject, File: FileName, Line: w.Line, Column: 1,
		Message: hclfile.Printable(message), Hint: hint, Severity: severity, Blocking: severity == hybridcore.Error,
	}
}
