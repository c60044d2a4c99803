// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:46:30Z
// Spec: openspec/specs/static-validation/spec.md#requirement-a-pure-check-of-values
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
)

// file does what concerns one file alone.
func (c *checker) file(name string, content []byte) {
	switch {
	case strings.HasSuffix(name, ".pkr.hcl"), strings.HasSuffix(name, ".pkrvars.hcl"):
		c.hcl(name, content)
	case strings.HasSuffix(name, ".yml"), strings.HasSuffix(name, ".yaml"):
		checkYAML(c.found, name, content)
	}
}

// hcl parses a template or variable file and compares its form.
func (c *checker) hcl(name string, content []byte) {
	file := c.in.Parsed[name]
	if file == nil {
		limit := hclfile.Template()
		if isVarFile(name) {
			limit = hclfile.VarFile()
		}
		var problems []hybridcore.Finding
		if file, problems = parse(content, name, limit); file == nil {
			c.parsed[name] = nil
			c.found.Take(problems)
			return
		}
	}
	c.parsed[name] = file
	c.references(file)
	hidden(c.found, file)
	if len(file.Source) > maxFormat {
		return
	}
	if at, ok := Canonical(file.Source); !ok {
		c.found.Warn(file, finding.RuleFormat, hcl.Range{Start: hcl.Pos{Line: at, Column: 1}},
			"the file is not in canonical format",
			"run `packer-hybrid fmt`")
	}
}

// maxFormat is the largest file whose form is judged: the formatter takes 1 µs
// for each byte.
const maxFormat = 128 << 10
