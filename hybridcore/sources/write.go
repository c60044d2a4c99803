// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:59Z
// Spec: openspec/specs/sources/spec.md#requirement-plugin-hashes
// Diagram: openspec/specs/sources/diagram.md#chain-of-trust

package sources

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// LockPlugins writes versions and hashes of binaries into the lock and says
// what it changed, one line each. Hashes are added to those of the same
// version; a new version replaces the former one with all its hashes. What
// else is in the file stays as it is, comments included.
func LockPlugins(root string, binaries []Binary) ([]string, error) {
	file, err := read(root)
	if err != nil {
		return nil, missing(err)
	}
	lock, findings := decode(file)
	if len(findings) > 0 {
		return nil, &hybridcore.FindingsError{Findings: findings}
	}
	doc, diags := hclwrite.ParseConfig(file.Source, LockPath, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, &hybridcore.FindingsError{Findings: file.Diagnostics(diags)}
	}
	var notes []string
	for _, b := range binaries {
		note, err := lock.add(doc.Body(), b)
		if err != nil {
			return nil, err
		}
		if note != "" {
			notes = append(notes, note)
		}
	}
	if len(notes) == 0 {
		return nil, nil
	}
	text := hclwrite.Format(doc.Bytes())
	if parsed, err := hclfile.Parse(text, LockPath, limit()); err != nil {
		return nil, err
	} else if _, findings := decode(parsed); len(findings) > 0 {
		return nil, &hybridcore.FindingsError{Findings: findings}
	}
	return notes, write(root, text)
}

// add puts one binary into the lock and its text.
func (l *Lock) add(body *hclwrite.Body, b Binary) (string, error) {
	i := slices.IndexFunc(l.Plugins, func(p Plugin) bool { return p.Address == b.Address })
	if i < 0 {
		i = len(l.Plugins)
		l.Plugins = append(l.Plugins, Plugin{Address: b.Address, Version: b.Version, Binaries: map[string][]string{}})
		body.AppendNewline()
		body.AppendNewBlock("plugin", []string{b.Address}).Body().SetAttributeValue("version", cty.StringVal(b.Version))
	}
	locked := &l.Plugins[i]
	block := body.FirstMatchingBlock("plugin", []string{b.Address}).Body()
	note := fmt.Sprintf("%s %s %s %s", b.Address, b.Version, b.System, b.SHA256)
	if locked.Version != b.Version {
		note += fmt.Sprintf(" (instead of version %s)", locked.Version)
		block.SetAttributeValue("version", cty.StringVal(b.Version))
		for system := range locked.Binaries {
			block.RemoveBlock(block.FirstMatchingBlock("binary", []string{system}))
		}
		locked.Version, locked.Binaries = b.Version, map[string][]string{}
	}
	hashes := locked.Binaries[b.System]
	if slices.Contains(hashes, b.SHA256) {
		return "", nil
	}
	locked.Binaries[b.System] = append(hashes, b.SHA256)
	inner := block.FirstMatchingBlock("binary", []string{b.System})
	if inner == nil {
		block.AppendNewline()
		inner = block.AppendNewBlock("binary", []string{b.System})
		inner.Body().SetAttributeRaw("sha256", listOf(nil, b))
		return note, nil
	}
	attr := inner.Body().GetAttribute("sha256")
	if attr == nil {
		return "", fmt.Errorf("the block binary %q of %s has no sha256", b.System, b.Address)
	}
	inner.Body().SetAttributeRaw("sha256", listOf(attr.Expr().BuildTokens(nil), b))
	return note, nil
}

// listOf is a list of the hashes that are there, with their comments, and one
// more, each on a line of its own.
func listOf(old hclwrite.Tokens, b Binary) hclwrite.Tokens {
	raw := func(kind hclsyntax.TokenType, text string) *hclwrite.Token {
		return &hclwrite.Token{Type: kind, Bytes: []byte(text)}
	}
	newline, comma := raw(hclsyntax.TokenNewline, "\n"), raw(hclsyntax.TokenComma, ",")
	isOpen := func(t *hclwrite.Token) bool { return t.Type == hclsyntax.TokenOBrack }
	isClose := func(t *hclwrite.Token) bool { return t.Type == hclsyntax.TokenCBrack }
	if i := slices.IndexFunc(old, isOpen); i >= 0 {
		old = old[i+1:]
		if end := slices.IndexFunc(old, isClose); end >= 0 {
			old = old[:end]
		}
	}
	tokens := hclwrite.Tokens{raw(hclsyntax.TokenOBrack, "["), newline}
	tokens = append(tokens, separated(old, comma, newline)...)
	tokens = append(tokens, hclwrite.TokensForValue(cty.StringVal(b.SHA256))...)
	tokens = append(tokens, comma)
	if b.Built != "" {
		tokens = append(tokens, raw(hclsyntax.TokenComment, "# built with "+b.Built+"\n"))
	} else {
		tokens = append(tokens, newline)
	}
	return append(tokens, raw(hclsyntax.TokenCBrack, "]"))
}

// separated makes the elements of a list ready for one more: no line breaks at
// its start, a comma after its last element, a line break at its end.
func separated(list hclwrite.Tokens, comma, newline *hclwrite.Token) hclwrite.Tokens {
	for len(list) > 0 && list[0].Type == hclsyntax.TokenNewline {
		list = list[1:]
	}
	last := len(list) - 1
	for last >= 0 && (list[last].Type == hclsyntax.TokenNewline || list[last].Type == hclsyntax.TokenComment) {
		last--
	}
	if last < 0 {
		return list
	}
	if list[last].Type != hclsyntax.TokenComma {
		list = slices.Insert(slices.Clone(list), last+1, comma)
	}
	if end := list[len(list)-1]; end.Type != hclsyntax.TokenNewline && end.Type != hclsyntax.TokenComment {
		list = append(slices.Clone(list), newline)
	}
	return list
}

// write replaces the lock with one rename.
func write(root string, text []byte) (err error) {
	path := filepath.Join(root, filepath.FromSlash(LockPath))
	in, err := safefile.ViewFolder(root, filepath.Dir(LockPath))
	if err == nil {
		err = in.Close()
	}
	if err != nil {
		return &hybridcore.BlockedError{Msg: "the lock is not written", Err: err}
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return hybridcore.Blockedf("%s is not a regular file; nothing is written through a link", LockPath)
	}
	return safefile.Replace(path, text, 0o644)
}
