// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:17:41Z
// Spec: openspec/specs/parity/spec.md#requirement-reviewed-allow-list
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// AllowFile is where the allow-list is, below the project root.
const AllowFile = "templates/parity.hcl"

// Limits of the allow-list. A list that long is not reviewed.
const (
	maxEntries = 1000
	maxGlob    = 256 // bytes of a key
)

// Allow is the reviewed list of differences that are expected, and the policy
// for those that are not. The zero value expects nothing and blocks.
type Allow struct {
	policy    hybridcore.ParityPolicy
	entries   []entry
	overrides []override
}

// entry expects the keys that it matches to differ.
type entry struct {
	category, glob string
	platforms      []hybridcore.Platform
	images         []string // empty: all
	absent         bool     // the platforms lack what the others have
	reason, owner  string
	file           string
	line           int
}

func (e entry) place() string { return fmt.Sprintf("%s:%d", e.file, e.line) }

func (e entry) covers(image, category, key string) bool {
	return e.category == category && (len(e.images) == 0 || slices.Contains(e.images, image)) && match(e.glob, key)
}

// takes says whether the entry takes its keys out of a platform's inventory.
func (e entry) takes(platform hybridcore.Platform) bool {
	return slices.Contains(e.platforms, platform) != e.absent
}

// override sets another policy for some environments or images.
type override struct {
	policy               hybridcore.ParityPolicy
	environments, images []string
}

// ReadAllow reads the allow-list of the project at root. A project without the
// file expects no difference. All problems come as *hybridcore.FindingsError.
func ReadAllow(root *os.Root) (Allow, error) {
	file, err := hclfile.Read(root, AllowFile, hclfile.Template())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Allow{policy: hybridcore.ParityBlock}, nil
	case err != nil:
		return Allow{}, err
	}
	return readAllow(file)
}

// ParseAllow reads an allow-list from its text.
func ParseAllow(src []byte, path string) (Allow, error) {
	file, err := hclfile.Parse(src, path, hclfile.Template())
	if err != nil {
		return Allow{}, err
	}
	return readAllow(file)
}

func readAllow(file *hclfile.File) (Allow, error) {
	r := &allowReader{file: file, allow: Allow{policy: hybridcore.ParityBlock}}
	for _, attr := range hclfile.SortedAttributes(file.Body) {
		if attr.Name != "policy" {
			r.add(attr.NameRange, fmt.Sprintf("the allow-list has no setting %q%s", attr.Name,
				text.DidYouMean(attr.Name, []string{"policy"})), "")
			continue
		}
		var said string
		if r.value(attr, &said, "a string") {
			r.allow.policy = r.policy(said, attr.Expr.Range())
		}
	}
	for _, block := range file.Body.Blocks {
		switch {
		case block.Type == "allow" && len(block.Labels) == 2:
			r.entry(block)
		case block.Type == "override" && len(block.Labels) == 1:
			r.override(block)
		default:
			r.add(block.TypeRange, fmt.Sprintf("the allow-list holds no block %q with %d labels", block.Type, len(block.Labels)),
				`write allow "CATEGORY" "KEY" { ... } or override "warn" { ... }`)
		}
	}
	if len(r.findings) > 0 {
		return Allow{}, &hybridcore.FindingsError{Findings: r.findings[:min(len(r.findings), hclfile.MaxFindings)]}
	}
	return r.allow, nil
}

// allowReader collects entries and problems.
type allowReader struct {
	file     *hclfile.File
	allow    Allow
	findings []hybridcore.Finding
}

func (r *allowReader) add(at hcl.Range, message, hint string) {
	r.findings = append(r.findings, r.file.Finding(hybridcore.KindSchema, at, message, hint))
}

// value reads a literal into a string, a bool or a list of strings.
func (r *allowReader) value(attr *hclsyntax.Attribute, into any, want string) bool {
	literal, findings := r.file.Literal(attr)
	r.findings = append(r.findings, findings...)
	if len(findings) > 0 {
		return false
	}
	if literal.JSON == "null" || json.Unmarshal([]byte(literal.JSON), into) != nil {
		r.add(attr.Expr.Range(), fmt.Sprintf("%s must be %s", attr.Name, want), "")
		return false
	}
	return true
}

// settings reads the attributes of a block into the targets by name, and says
// which required ones are missing.
func (r *allowReader) settings(block *hclsyntax.Block, into map[string]any, required ...string) {
	var names []string
	for name := range into {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, inner := range block.Body.Blocks {
		r.add(inner.TypeRange, fmt.Sprintf("%s has no block %q", block.Type, inner.Type), "")
	}
	for _, attr := range hclfile.SortedAttributes(block.Body) {
		switch target := into[attr.Name].(type) {
		case nil:
			r.add(attr.NameRange, fmt.Sprintf("%s has no setting %q%s", block.Type, attr.Name,
				text.DidYouMean(attr.Name, names)), "it has: "+strings.Join(names, ", "))
		case *string:
			if r.value(attr, target, "a string") && strings.TrimSpace(*target) == "" {
				r.add(attr.Expr.Range(), attr.Name+" is empty", "say it in a sentence that a reviewer can judge")
			}
		case *bool:
			r.value(attr, target, "true or false")
		case *[]string:
			if r.value(attr, target, "a list of strings") && len(*target) == 0 {
				r.add(attr.Expr.Range(), attr.Name+" is empty", "leave it out, or name at least one")
			}
		}
	}
	for _, name := range required {
		if _, ok := block.Body.Attributes[name]; !ok {
			r.add(block.TypeRange, fmt.Sprintf("%s needs the setting %q", block.Type, name), "")
		}
	}
}

func (r *allowReader) entry(block *hclsyntax.Block) {
	e := entry{category: block.Labels[0], glob: block.Labels[1], file: r.file.Path, line: block.TypeRange.Start.Line}
	if known := categories(); !slices.Contains(known, e.category) {
		r.add(block.LabelRanges[0],
			fmt.Sprintf("unknown category %.80q%s", e.category,
				text.DidYouMean(e.category, known)), "known: "+strings.Join(known, ", "))
	}
	switch {
	case strings.Trim(e.glob, "*") == "":
		r.add(block.LabelRanges[1], fmt.Sprintf("the key %q allows everything", e.glob),
			"name the keys, with * for a part of them")
	case len(e.glob) > maxGlob || strings.Count(e.glob, "*") > maxStars:
		r.add(block.LabelRanges[1], fmt.Sprintf("the key has more than %d bytes or %d asterisks", maxGlob, maxStars), "")
	}
	var platforms []string
	r.settings(block, map[string]any{
		"platforms": &platforms, "images": &e.images, "absent": &e.absent, "reason": &e.reason, "owner": &e.owner,
	}, "platforms", "reason", "owner")
	for _, name := range platforms {
		p, err := hybridcore.ParsePlatform(name)
		if err != nil {
			r.add(block.Body.Attributes["platforms"].Expr.Range(), err.Error(), "")
			continue
		}
		e.platforms = append(e.platforms, p)
	}
	same := func(o entry) bool {
		return o.category == e.category && o.glob == e.glob && o.absent == e.absent && slices.Equal(o.images, e.images)
	}
	if i := slices.IndexFunc(r.allow.entries, same); i >= 0 {
		r.add(block.TypeRange, fmt.Sprintf("%s %q is allowed twice, first in line %d", e.category, e.glob,
			r.allow.entries[i].line), "put the platforms into one entry")
	}
	if len(r.allow.entries) == maxEntries {
		r.add(block.TypeRange, fmt.Sprintf("more than %d entries", maxEntries),
			"images that differ in so much are not identical")
	}
	if len(r.allow.entries) < maxEntries {
		r.allow.entries = append(r.allow.entries, e)
	}
}

func (r *allowReader) override(block *hclsyntax.Block) {
	o := override{policy: r.policy(block.Labels[0], block.LabelRanges[0])}
	var reason, owner string // for reviewers
	r.settings(block, map[string]any{
		"environments": &o.environments, "images": &o.images, "reason": &reason,
		"owner": &owner,
	}, "reason", "owner")
	if len(o.environments) == 0 && len(o.images) == 0 {
		r.add(block.TypeRange, "override needs environments or images",
			"set the policy at the top of the file for everything")
	}
	r.allow.overrides = append(r.allow.overrides, o)
}

func (r *allowReader) policy(said string, at hcl.Range) hybridcore.ParityPolicy {
	policy := hybridcore.ParityPolicy(said)
	if policy != hybridcore.ParityBlock && policy != hybridcore.ParityWarn {
		r.add(at, fmt.Sprintf("unknown policy %.80q%s", said, text.DidYouMean(said, []string{"block", "warn"})),
			"known: block, warn")
	}
	return policy
}

// Policy is what an unexpected difference of the image does in the
// environment: the last override that fits both, else the list's own.
func (a Allow) Policy(env, image string) hybridcore.ParityPolicy {
	policy := a.policy
	if policy == "" {
		policy = hybridcore.ParityBlock
	}
	for _, o := range a.overrides {
		if (len(o.environments) == 0 || slices.Contains(o.environments, env)) &&
			(len(o.images) == 0 || slices.Contains(o.images, image)) {
			policy = o.policy
		}
	}
	return policy
}

// maxStars bounds the asterisks of a key: match takes time with their number.
const maxStars = 8

// match says whether a text is like a glob, in which * stands for any text,
// slashes included.
func match(glob, text string) bool {
	first, rest, found := strings.Cut(glob, "*")
	if !found {
		return glob == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(text, part)
		}
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text, rest = text[i+len(part):], after
	}
}
