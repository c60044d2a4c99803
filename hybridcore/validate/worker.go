// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:49:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-a-pure-check-of-values
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/parts"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/untrusted"
)

// worker checks targets one after the other.
type worker struct {
	policy  *untrusted.Policy
	found   *finding.List
	reader  *module.Reader
	modules map[string]*module.Module // by the paths of their files
	tree    *eval.Tree
}

func newWorker(in Input, parsed map[string]*hclfile.File) *worker {
	found, facts, components := &finding.List{}, module.Cache{}, in.Schemas.Reader()
	return &worker{
		policy: in.Policy, found: found, modules: map[string]*module.Module{},
		reader: &module.Reader{
			Files: parsed, Functions: eval.Functions(), Schemas: components, Facts: facts, Found: found,
			Used: map[string]bool{},
		},
		tree: &eval.Tree{
			Files: in.Files, Targets: len(in.Targets), Untrusted: in.Policy != nil, Schemas: components, Facts: facts,
			Found: found,
		},
	}
}

// target checks one target: its module once for all targets that share it, and
// what depends on the values of its variables.
func (w *worker) target(of Target) {
	m := w.module(of)
	if m == nil || m.Broken {
		return
	}
	scope := w.tree.Scope(m, of.Target)
	t := &target{
		of: of, untrusted: w.policy != nil, found: w.found, reader: w.reader, module: m, scope: scope,
		bodies: &parts.Bodies{Scope: scope, Module: m, Schemas: w.reader.Schemas, Found: w.found},
		paths:  paths{scope: scope, module: m, facts: w.reader.Facts, found: w.found, untrusted: w.policy != nil},
	}
	t.validations()
	t.sources()
	t.datas()
	t.builds()
	t.paths.calls()
	t.production()
	if w.policy != nil {
		w.policy.Check(&untrusted.Target{
			Module: m, Scope: scope, Parts: t.parts, Uses: t.uses, Facts: w.reader.Facts, Found: w.found,
		})
	}
}

// module finds or reads the module that a target's *.pkr.hcl files make.
func (w *worker) module(t Target) *module.Module {
	var paths []string
	for _, file := range t.Files {
		if strings.HasSuffix(file.Path, ".pkr.hcl") && !strings.Contains(file.Path, "/") {
			paths = append(paths, file.From)
		}
	}
	slices.Sort(paths)
	key := strings.Join(paths, "\x00")
	if m, ok := w.modules[key]; ok {
		return m
	}
	m := w.reader.Read(paths)
	w.modules[key] = m
	return m
}
