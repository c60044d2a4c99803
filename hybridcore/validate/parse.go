// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:53:15Z
// Spec: openspec/specs/static-validation/spec.md#requirement-form-of-files
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"bytes"
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// parse reads a template or variable file within its limits.
func parse(content []byte, name string, limit hclfile.Limit) (*hclfile.File, []hybridcore.Finding) {
	if int64(len(content)) > limit.Bytes {
		return nil, []hybridcore.Finding{tooLarge(name, limit.Bytes)}
	}
	if line, long := longLine(content); long {
		return nil, []hybridcore.Finding{{
			Kind: hybridcore.KindSyntax, Subject: name, File: name, Line: line, Severity: hybridcore.Error, Blocking: true,
			Message: fmt.Sprintf("the line is longer than %d KiB", maxLine>>10),
			Hint:    "put the text into a file below templates/ and read it with file()",
		}}
	}
	file, err := hclfile.Parse(content, name, limit)
	if err != nil {
		return nil, hclfile.Findings(name, err)
	}
	return file, nil
}

func tooLarge(path string, limit int64) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: hybridcore.KindSyntax, Subject: path, File: path, Severity: hybridcore.Error, Blocking: true,
		Message: fmt.Sprintf("the file is larger than %d KiB", limit>>10),
		Hint:    "split it, or remove what does not belong there",
	}
}

// maxLine is the longest line of a template, in bytes: the lexer takes 100 ns
// for each byte, three times.
const maxLine = 64 << 10

// longLine finds the first line that is too long.
func longLine(content []byte) (int, bool) {
	for number := 1; ; number++ {
		line, rest, more := bytes.Cut(content, []byte("\n"))
		if len(line) > maxLine {
			return number, true
		}
		if !more {
			return 0, false
		}
		content = rest
	}
}
