// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:05:00Z
// Spec: openspec/specs/templates/spec.md#requirement-a-target-is-a-fixed-list-of-files
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

package templates

import (
	"path"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Content is the limit of any file of a target: 16 MiB, as when it was loaded.
func Content() hclfile.Limit { return hclfile.Limit{Kind: "file", Bytes: maxFile} }

// Parsed returns the templates that were parsed, by path from the project root.
func (s *Set) Parsed() map[string]*hclfile.File {
	parsed := map[string]*hclfile.File{}
	for _, t := range s.templates {
		parsed[t.file.Path] = t.file
	}
	return parsed
}

// HCLFiles lists the templates and variable files below templates/, sorted, by
// path from the project root.
func (s *Set) HCLFiles() []string {
	var found []string
	for name := range s.files {
		if strings.HasSuffix(name, ".pkr.hcl") || strings.HasSuffix(name, varSuffix) {
			found = append(found, path.Join(Dir, name))
		}
	}
	slices.Sort(found)
	return found
}
