// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:16:27Z
// Spec: openspec/specs/sources/spec.md#requirement-the-lock-file
// Diagram: openspec/specs/sources/diagram.md#chain-of-trust

package sources

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// setting takes the value of one attribute and says what is wrong with it.
type setting func(cty.Value) error

// decoder collects the problems of one lock.
type decoder struct {
	file     *hclfile.File
	findings []hybridcore.Finding
}

func decode(file *hclfile.File) (Lock, []hybridcore.Finding) {
	d := &decoder{file: file}
	lock := Lock{Hosts: []string{defaultHost}}
	d.settings(file.Body, "the lock", map[string]setting{"hosts": func(v cty.Value) error {
		lock.Hosts = nil
		return each(v, func(said string) error {
			lock.Hosts = append(lock.Hosts, said)
			return checkHost(said)
		})
	}})
	d.blocks([]string{"source", "plugin"}, func(block *hclsyntax.Block) {
		if block.Type == "source" {
			lock.Sources = append(lock.Sources, d.source(block, lock.Hosts))
		} else {
			lock.Plugins = append(lock.Plugins, d.plugin(block))
		}
	})
	return lock, d.findings
}

// blocks goes through the blocks of the file that are known and have one label.
func (d *decoder) blocks(known []string, do func(*hclsyntax.Block)) {
	seen := map[string]bool{}
	for _, block := range d.file.Body.Blocks {
		if !slices.Contains(known, block.Type) {
			d.add(block.TypeRange, fmt.Sprintf("unknown block %q%s", block.Type, text.DidYouMean(block.Type, known)),
				"known blocks: "+join(known))
			continue
		}
		if !d.label(block) {
			continue
		}
		if key := block.Type + " " + block.Labels[0]; seen[key] {
			d.add(block.LabelRanges[0], fmt.Sprintf("a second block %s %q", block.Type, block.Labels[0]),
				"merge it with the first one")
		} else {
			seen[key] = true
		}
		do(block)
	}
}

func (d *decoder) source(block *hclsyntax.Block, hosts []string) Source {
	s := Source{Name: block.Labels[0], Line: block.TypeRange.Start.Line}
	if err := checkName(s.Name); err != nil {
		d.add(block.LabelRanges[0], err.Error(), "")
	}
	for _, inner := range block.Body.Blocks {
		d.add(inner.TypeRange, fmt.Sprintf("a block %q does not belong into a source", inner.Type),
			"settings here: commit, tag, url")
	}
	d.settings(block.Body, "source", map[string]setting{
		"url":    checked(&s.URL, func(u string) error { return checkURL(u, hosts) }),
		"tag":    checked(&s.Tag, checkTag),
		"commit": checked(&s.Commit, checkCommit),
	})
	d.required(block, "url", "commit")
	return s
}

func (d *decoder) plugin(block *hclsyntax.Block) Plugin {
	p := Plugin{Address: block.Labels[0], Binaries: map[string][]string{}, Line: block.TypeRange.Start.Line}
	if err := checkAddress(p.Address); err != nil {
		d.add(block.LabelRanges[0], err.Error(), "")
	}
	d.settings(block.Body, "plugin", map[string]setting{"version": checked(&p.Version, checkVersion)})
	d.required(block, "version")
	for _, inner := range block.Body.Blocks {
		if inner.Type != "binary" {
			d.add(inner.TypeRange, fmt.Sprintf("unknown block %q in plugin%s", inner.Type,
				text.DidYouMean(inner.Type, []string{"binary"})), "known blocks: binary")
			continue
		}
		if d.label(inner) {
			d.binary(inner, p)
		}
	}
	return p
}

func (d *decoder) binary(block *hclsyntax.Block, p Plugin) {
	system := block.Labels[0]
	if !systemRule.MatchString(system) {
		d.add(block.LabelRanges[0],
			fmt.Sprintf("%.80q is not an operating system and architecture such as \"linux_amd64\"", system), "")
	}
	if _, twice := p.Binaries[system]; twice {
		d.add(block.LabelRanges[0], fmt.Sprintf("a second block binary %q", system), "put all its hashes into one list")
	}
	for _, inner := range block.Body.Blocks {
		d.add(inner.TypeRange, fmt.Sprintf("a block %q does not belong into a binary", inner.Type), "settings here: sha256")
	}
	hashes := []string{}
	d.settings(block.Body, "binary", map[string]setting{"sha256": func(v cty.Value) error {
		return each(v, func(hash string) error {
			if slices.Contains(hashes, hash) {
				return fmt.Errorf("%.80q is listed twice", hash)
			}
			hashes = append(hashes, hash)
			return checkSHA256(hash)
		})
	}})
	d.required(block, "sha256")
	p.Binaries[system] = hashes
}

// settings reads the attributes of a body; unknown and mistyped ones become
// findings.
func (d *decoder) settings(body *hclsyntax.Body, where string, settings map[string]setting) {
	names := slices.Sorted(maps.Keys(settings))
	for _, attr := range hclfile.SortedAttributes(body) {
		set, ok := settings[attr.Name]
		if !ok {
			d.add(attr.NameRange, fmt.Sprintf("unknown setting %q in %s%s", attr.Name, where,
				text.DidYouMean(attr.Name, names)), "settings here: "+join(names))
			continue
		}
		literal, findings := d.file.Literal(attr)
		d.findings = append(d.findings, findings...)
		if len(findings) > 0 {
			continue
		}
		if err := set(literal.Value); err != nil {
			d.add(attr.Expr.Range(), fmt.Sprintf("%s: %v", attr.Name, err), "")
		}
	}
}

func (d *decoder) required(block *hclsyntax.Block, names ...string) {
	for _, name := range names {
		if _, ok := block.Body.Attributes[name]; !ok {
			d.add(block.TypeRange, fmt.Sprintf("%s %q needs the setting %q", block.Type, block.Labels[0], name), "")
		}
	}
}

func (d *decoder) label(block *hclsyntax.Block) bool {
	if len(block.Labels) == 1 {
		return true
	}
	d.add(block.TypeRange, fmt.Sprintf("the block %s needs one name: %s \"…\" { … }", block.Type, block.Type), "")
	return false
}

func (d *decoder) add(at hcl.Range, message, hint string) {
	d.findings = append(d.findings, d.file.Finding(hybridcore.KindSchema, at, message, hint))
}

// checked is a setting that is a string.
func checked(into *string, check func(string) error) setting {
	return func(v cty.Value) error {
		if v.IsNull() || v.Type() != cty.String {
			return fmt.Errorf("a string is needed, not %s", v.Type().FriendlyName())
		}
		*into = v.AsString()
		return check(*into)
	}
}

// each takes a string or a list of at least one string.
func each(v cty.Value, take func(string) error) error {
	if !v.IsNull() && v.Type() == cty.String {
		return take(v.AsString())
	}
	if v.IsNull() || !v.Type().IsTupleType() || v.LengthInt() == 0 {
		return fmt.Errorf("a string or a list of strings is needed")
	}
	for _, element := range v.Elements() {
		if element.IsNull() || element.Type() != cty.String {
			return fmt.Errorf("a list of strings is needed, with nothing else in it")
		}
		if err := take(element.AsString()); err != nil {
			return err
		}
	}
	return nil
}

func join(names []string) string { return strings.Join(names, ", ") }
