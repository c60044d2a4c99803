// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/hclfile/spec.md#requirement-bounded-reading
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

package hclfile

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Limit bounds one kind of file. The parser uses up to 27 KiB of memory for
// each level of nesting (measured with hcl v2.25.0), and 100 bytes and 1 µs
// for each token.
type Limit struct {
	Kind   string // as errors name it: "variable file", "template", "project file"
	Bytes  int64
	Tokens int
	Depth  int // brackets, blocks, template sequences, chained unary and conditional operators
	Chain  int // operators in one expression, which nest in its tree
}

// File is one HCL file that was read and parsed.
type File struct {
	Path   string // as given, slash-separated
	Source []byte
	SHA256 string // of Source, hex
	Body   *hclsyntax.Body
}
