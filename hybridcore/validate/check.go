// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:49:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-a-pure-check-of-values
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"maps"
	"slices"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
)

// Check answers with everything that is wrong or worth knowing, sorted by
// place. It is pure, bounded in time and memory by the size of its input, and
// never shows the value of a secret.
func Check(in Input) []hybridcore.Finding {
	c := &checker{
		in: in, parsed: map[string]*hclfile.File{}, found: &finding.List{}, facts: module.Cache{}, used: map[string]bool{},
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
	c.unused()
	return c.found.Sorted()
}

// workers is among how many the targets are divided. It is the same on every
// machine: so are the limits of work, and the answer.
const workers = 4

// targets checks the targets, every worker with what it learns of its own.
func (c *checker) targets() {
	all := make([]*worker, min(workers, len(c.in.Targets)))
	var running sync.WaitGroup
	for i := range all {
		w := newWorker(c.in, c.parsed)
		all[i] = w
		running.Go(func() {
			for at := i; at < len(c.in.Targets); at += workers {
				w.target(c.in.Targets[at])
			}
		})
	}
	running.Wait()
	for _, w := range all {
		c.found.Take(w.found.All())
		maps.Copy(c.used, w.reader.Used)
	}
}
