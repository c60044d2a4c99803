// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:41:08Z
// Spec: openspec/specs/waivers/spec.md#requirement-one-form
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package waivers

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

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
const blockHint = `write waiver "leak" { … } with subject, hash, owner, reason and expires, each on a line of its own; ` +
	`the kinds "finding" and "drift" have a rule instead of the hash, and "drift" has what it accepts`

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
	switch {
	case block.Type != "waiver":
		r.refuse(block.TypeRange, fmt.Sprintf("unknown block %q", block.Type), blockHint)
		return
	case len(block.Labels) != 1:
		r.refuse(block.TypeRange, "a waiver has one label, its kind", blockHint)
		return
	case settings[block.Labels[0]] == nil:
		r.refuse(block.LabelRanges[0], fmt.Sprintf("unknown kind of waiver %q%s", block.Labels[0],
			text.DidYouMean(block.Labels[0], kinds)), "kinds: "+strings.Join(kinds, ", "))
		return
	}
	for _, inside := range block.Body.Blocks {
		r.refuse(inside.TypeRange, fmt.Sprintf("a block %q does not belong here", inside.Type), blockHint)
	}
	if w, ok := r.waiver(block); ok {
		r.set = append(r.set, w)
	}
}

// waiver reads the settings of a waiver. One that is not as it has to be is said, and left out.
func (r *reader) waiver(block *hclsyntax.Block) (w Waiver, ok bool) {
	before := len(r.findings)
	w = Waiver{Kind: block.Labels[0], Line: block.TypeRange.Start.Line}
	expires := ""
	fields := map[string]*string{
		"subject": &w.Subject, "hash": &w.Hash, "rule": &w.Rule, "accepts": &w.Accepts,
		"owner": &w.Owner, "reason": &w.Reason, "expires": &expires,
	}
	maps.DeleteFunc(fields, func(name string, _ *string) bool { return !slices.Contains(settings[w.Kind], name) })
	for _, attr := range hclfile.SortedAttributes(block.Body) {
		r.field(attr, fields)
	}
	for _, name := range settings[w.Kind] {
		if *fields[name] == "" && block.Body.Attributes[name] == nil && w.needs(name) {
			r.refuse(block.TypeRange, fmt.Sprintf("the waiver has no %s", name), blockHint)
		}
	}
	if len(r.findings) > before {
		return w, false
	}
	day, err := time.Parse(time.DateOnly, expires)
	if err != nil {
		r.refuse(block.Body.Attributes["expires"].Expr.Range(), "expires is no day", `write one as "2027-01-31"`)
		return w, false
	}
	w.Expires = day.AddDate(0, 0, 1)
	if why := neverByRule(w.Rule); why != "" {
		r.refuse(block.Body.Attributes["rule"].Expr.Range(), fmt.Sprintf("%s cannot be waived: %s", w.Rule, why),
			"remove the waiver, and what it is about")
		r.findings[len(r.findings)-1].Rule = RuleRefused
		return w, false
	}
	if _, _, ok := split(w.Hash); w.Kind == Leak && !ok {
		r.refuse(block.Body.Attributes["hash"].Expr.Range(), "hash is none of a waiver",
			"copy it from the finding: sha256:SALT:DIGEST")
		return w, false
	}
	return w, r.few(block, w)
}

// few says whether a leak has few waivers of its file before it.
func (r *reader) few(block *hclsyntax.Block, w Waiver) bool {
	same := 0
	for _, other := range r.set {
		if w.Kind == Leak && other.Kind == Leak && other.Subject == w.Subject {
			same++
		}
	}
	if same == maxOfSubject {
		r.refuse(block.TypeRange, fmt.Sprintf("more than %d waivers of %s", maxOfSubject, w.Subject),
			"remove what they are about")
		return false
	}
	return true
}

// field reads one setting.
func (r *reader) field(attr *hclsyntax.Attribute, fields map[string]*string) {
	to := fields[attr.Name]
	if to == nil {
		r.refuse(attr.NameRange, fmt.Sprintf("unknown setting %q%s", attr.Name,
			text.DidYouMean(attr.Name, slices.Collect(maps.Keys(fields)))), blockHint)
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
