// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:45:07Z
// Spec: openspec/specs/static-validation/spec.md#requirement-schemas-of-the-real-plugins
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package schemas

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Set is what components take: of the plugins that were added, as they
// are installed, and of all others as embedded. The zero value has the embedded
// ones only.
type Set struct {
	plugins map[string]map[string]json.RawMessage // by address, then KIND.NAME
}

// Add takes the schemas of all components of an installed plugin: an object by
// KIND.NAME, each as Parse reads it. A component that is not in it is one
// that this version does not have.
func (s *Set) Add(address string, answer []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(answer, &all); err != nil {
		return fmt.Errorf("reading the schemas of %s: %w", address, err)
	}
	if s.plugins == nil {
		s.plugins = map[string]map[string]json.RawMessage{}
	}
	s.plugins[address] = all
	return nil
}

// find returns the schema of a component. One that cannot be read counts as unknown.
func (s *Set) find(kind Kind, name string) (*Schema, bool) {
	key := string(kind) + "." + name
	for _, address := range slices.Sorted(maps.Keys(s.plugins)) {
		if raw, ok := s.plugins[address][key]; ok {
			if schema, err := Parse(raw); err == nil {
				return schema, true
			}
			return Embedded(kind, name)
		}
	}
	schema, ok := Embedded(kind, name)
	if ok && s.plugins[schema.Plugin] != nil {
		return nil, false
	}
	return schema, ok
}

// Complete says whether all components of a plugin are known.
func (r *Reader) Complete(address string) bool {
	return r.set.plugins[address] != nil || slices.Contains([]string{
		"github.com/hashicorp/proxmox", "github.com/hashicorp/vsphere", "github.com/hashicorp/azure",
		"github.com/hashicorp/ansible",
	}, address)
}

// Components lists the known components of a kind, sorted.
func (r *Reader) Components(kind Kind) []string {
	names := components(kind)
	for _, all := range r.set.plugins {
		for key := range all {
			if name, ok := strings.CutPrefix(key, string(kind)+"."); ok {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Reader finds schemas in a set and reads each once. It serves one goroutine.
type Reader struct {
	set   Set
	known map[string]*Schema // nil for a component that nobody provides
}

// Reader makes a reader of the set.
func (s Set) Reader() *Reader { return &Reader{set: s, known: map[string]*Schema{}} }

// Find is the schema of a component, or nil.
func (r *Reader) Find(kind Kind, name string) *Schema {
	key := string(kind) + "." + name
	schema, ok := r.known[key]
	if !ok {
		schema, _ = r.set.find(kind, name)
		r.known[key] = schema
	}
	return schema
}
