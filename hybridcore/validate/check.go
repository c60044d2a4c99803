// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:49:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-a-pure-check-of-values
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Check answers with everything that is wrong or worth knowing, sorted by
// place. It is pure, bounded in time and memory by the size of its input, and
// never shows the value of a secret.
func Check(in Input) []hybridcore.Finding {
	c := &checker{
		in: in, parsed: map[string]*hclfile.File{}, texts: map[string]*text{}, modules: map[string]*module{},
		used:  map[string]bool{},
		facts: map[hclsyntax.Expression]*facts{}, schemas: map[string]*Schema{}, seen: map[hybridcore.Finding]bool{},
	}
	for _, name := range slices.Sorted(maps.Keys(in.Files)) {
		c.file(name, in.Files[name])
	}
	for _, name := range in.Used {
		c.used["var."+name] = true
	}
	declared := c.declared()
	for _, name := range slices.Sorted(maps.Keys(c.parsed)) {
		if file := c.parsed[name]; file != nil && isVarFile(name) {
			c.varFile(file, declared)
		}
	}
	c.targets()
	c.unusedVariables()
	return c.sorted()
}

// file does what concerns one file alone.
func (c *checker) file(name string, content []byte) {
	switch {
	case strings.HasSuffix(name, ".pkr.hcl"), strings.HasSuffix(name, ".pkrvars.hcl"):
		c.hcl(name, content)
	case strings.HasSuffix(name, ".yml"), strings.HasSuffix(name, ".yaml"):
		c.yaml(name, content)
	}
	c.secretShapes(name, content)
}

// hcl parses a template or variable file and compares its form.
func (c *checker) hcl(name string, content []byte) {
	file := c.in.Parsed[name]
	if file == nil {
		limit := hclfile.Template()
		if isVarFile(name) {
			limit = hclfile.VarFile()
		}
		var findings []hybridcore.Finding
		if file, findings = parse(content, name, limit); file == nil {
			c.parsed[name] = nil
			c.take(findings)
			return
		}
	}
	c.parsed[name] = file
	c.references(file)
	c.hidden(file)
	if len(file.Source) > maxFormat {
		return
	}
	if at, ok := Canonical(file.Source); !ok {
		c.warn(file, RuleFormat, hcl.Range{Start: hcl.Pos{Line: at, Column: 1}}, "the file is not in canonical format",
			"run `packer-hybrid fmt`")
	}
}

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

// maxFormat is the largest file whose form is judged: the formatter takes 1 µs
// for each byte.
const maxFormat = 128 << 10

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

// workers is among how many the targets are divided. It is the same on every
// machine: so are the limits of work, and the answer.
const workers = 4

// targets checks the targets, every worker with what it learns of its own.
func (c *checker) targets() {
	parts := make([]*checker, min(workers, len(c.in.Targets)))
	var all sync.WaitGroup
	for i := range parts {
		part := &checker{
			in: c.in, parsed: c.parsed, texts: map[string]*text{}, modules: map[string]*module{}, used: map[string]bool{},
			facts: map[hclsyntax.Expression]*facts{}, schemas: map[string]*Schema{}, seen: map[hybridcore.Finding]bool{},
		}
		parts[i] = part
		all.Go(func() {
			for at := i; at < len(c.in.Targets); at += workers {
				part.target(c.in.Targets[at])
			}
		})
	}
	all.Wait()
	for _, part := range parts {
		c.take(part.findings)
		maps.Copy(c.used, part.used)
	}
}

// target checks one target: its module once for all targets that share it, and
// what depends on the values of its variables.
func (c *checker) target(t Target) {
	m := c.module(t)
	if m == nil || m.broken {
		return
	}
	s := newScope(c, m, t)
	s.locals()
	s.validations()
	s.sources()
	s.datas()
	s.builds()
	s.calls()
	s.production()
	if c.in.Policy != nil {
		c.in.Policy.check(s)
	}
}

// module finds or reads the module that a target's *.pkr.hcl files make.
func (c *checker) module(t Target) *module {
	var paths []string
	for _, file := range t.Files {
		if strings.HasSuffix(file.Path, ".pkr.hcl") && !strings.Contains(file.Path, "/") {
			paths = append(paths, file.From)
		}
	}
	slices.Sort(paths)
	key := strings.Join(paths, "\x00")
	if m, ok := c.modules[key]; ok {
		return m
	}
	m := c.newModule(paths)
	c.modules[key] = m
	return m
}

// sorted returns the findings by place, each once.
func (c *checker) sorted() []hybridcore.Finding {
	slices.SortStableFunc(c.findings, func(a, b hybridcore.Finding) int {
		if by := strings.Compare(a.File, b.File); by != 0 {
			return by
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		if a.Column != b.Column {
			return a.Column - b.Column
		}
		return strings.Compare(a.Rule+a.Message, b.Rule+b.Message)
	})
	return c.findings
}
