// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:01:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-form-of-files
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
)

// Canonical says whether HCL is in the form that `packer fmt` writes, and if
// not, the first line that is not.
func Canonical(src []byte) (line int, ok bool) {
	formatted := hclwrite.Format(src)
	if bytes.Equal(src, formatted) {
		return 0, true
	}
	line = 1
	for i := range min(len(src), len(formatted)) {
		if src[i] != formatted[i] {
			break
		}
		if src[i] == '\n' {
			line++
		}
	}
	return line, false
}

// Format returns HCL in canonical form. Bytes that are no HCL within the
// limits of a file come as *hybridcore.FindingsError.
func Format(src []byte, name string) ([]byte, error) {
	limit := hclfile.Template()
	if isVarFile(name) {
		limit = hclfile.VarFile()
	}
	if _, findings := parse(src, name, limit); len(findings) > 0 {
		return nil, &hybridcore.FindingsError{Findings: findings}
	}
	return hclwrite.Format(src), nil
}

// hidden refuses characters that make a text look different from what it is:
// bidirectional controls and invisible characters. A byte order mark at the
// beginning is none.
func hidden(found *finding.List, file *hclfile.File) {
	line, column := 1, 1
	for i := 0; i < len(file.Source); {
		r, size := utf8.DecodeRune(file.Source[i:])
		if size > 1 && unicode.Is(unicode.Cf, r) && (i > 0 || r != '\uFEFF') {
			found.Refuse(file, finding.RuleHidden, hcl.Range{Start: hcl.Pos{Line: line, Column: column, Byte: i}},
				fmt.Sprintf("the file holds the invisible character U+%04X", r), fmt.Sprintf("remove it, or write it as \\u%04x",
					r))
			return
		}
		i += size
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
}
