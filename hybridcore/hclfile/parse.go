// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/hclfile/spec.md#requirement-bounded-reading
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

package hclfile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Parse parses the content of a file. All problems come as
// *hybridcore.FindingsError.
func Parse(src []byte, path string, limit Limit) (*File, error) {
	sum := sha256.Sum256(src)
	file := &File{Path: path, Source: src, SHA256: hex.EncodeToString(sum[:])}
	if finding, ok := file.badText(); !ok {
		return nil, &hybridcore.FindingsError{Findings: []hybridcore.Finding{finding}}
	}
	if findings := file.scan(limit, true); len(findings) > 0 {
		return nil, &hybridcore.FindingsError{Findings: findings}
	}
	parsed, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, &hybridcore.FindingsError{Findings: file.Diagnostics(diags)}
	}
	body, ok := parsed.Body.(*hclsyntax.Body)
	if !ok {
		return nil, fmt.Errorf("parsing %s: unexpected body of type %T", path, parsed.Body)
	}
	file.Body = body
	return file, nil
}

// ParseText parses a file that the function templatefile renders: text with
// template sequences. The File has no Body. Errors are those of Parse.
func ParseText(src []byte, path string) (*File, hclsyntax.Expression, error) {
	sum := sha256.Sum256(src)
	file := &File{Path: path, Source: src, SHA256: hex.EncodeToString(sum[:])}
	limit := Template()
	if int64(len(src)) > limit.Bytes {
		return nil, nil, tooLarge(path, limit)
	}
	if finding, ok := file.badText(); !ok {
		return nil, nil, &hybridcore.FindingsError{Findings: []hybridcore.Finding{finding}}
	}
	if findings := file.scanTokens(limit, false, hclsyntax.LexTemplate); len(findings) > 0 {
		return nil, nil, &hybridcore.FindingsError{Findings: findings}
	}
	parsed, diags := hclsyntax.ParseTemplate(src, path, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, nil, &hybridcore.FindingsError{Findings: file.Diagnostics(diags)}
	}
	return file, parsed, nil
}

// badText finds the first byte that no text file holds.
func (f *File) badText() (hybridcore.Finding, bool) {
	line, column := 1, 1
	for i := 0; i < len(f.Source); {
		r, size := utf8.DecodeRune(f.Source[i:])
		message := ""
		switch {
		case r == 0:
			message = "the file holds a NUL byte"
		case r == utf8.RuneError && size == 1:
			message = "the file is not valid UTF-8"
		}
		if message != "" {
			finding := hybridcore.Finding{
				Kind: hybridcore.KindSyntax, Subject: f.Path, Message: message, File: f.Path, Line: line, Column: column,
				Hint: "save it as UTF-8 text", Severity: hybridcore.Error, Blocking: true,
			}
			return finding, false
		}
		if i += size; r == '\n' {
			line, column = line+1, 1
		} else {
			column++
		}
	}
	return hybridcore.Finding{}, true
}
