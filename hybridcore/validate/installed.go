// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:45:07Z
// Spec: openspec/specs/static-validation/spec.md#requirement-schemas-of-the-real-plugins
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Schemas are what components take: of the plugins that were added, as they
// are installed, and of all others as embedded. The zero value has the embedded
// ones only.
type Schemas struct {
	plugins map[string]map[string]json.RawMessage // by address, then KIND.NAME
}

// Add takes the schemas of all components of an installed plugin: an object by
// KIND.NAME, each as ParseSchema reads it. A component that is not in it is one
// that this version does not have.
func (s *Schemas) Add(address string, answer []byte) error {
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
func (s *Schemas) find(kind Kind, name string) (*Schema, bool) {
	key := string(kind) + "." + name
	for _, address := range slices.Sorted(maps.Keys(s.plugins)) {
		if raw, ok := s.plugins[address][key]; ok {
			if schema, err := ParseSchema(raw); err == nil {
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

// complete says whether all components of a plugin are known.
func (s *Schemas) complete(address string) bool {
	return s.plugins[address] != nil || slices.Contains([]string{
		"github.com/hashicorp/proxmox", "github.com/hashicorp/vsphere", "github.com/hashicorp/azure",
		"github.com/hashicorp/ansible",
	}, address)
}

// components lists the known components of a kind, sorted.
func (s *Schemas) components(kind Kind) []string {
	names := components(kind)
	for _, all := range s.plugins {
		for key := range all {
			if name, ok := strings.CutPrefix(key, string(kind)+"."); ok {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
