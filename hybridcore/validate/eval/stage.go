// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:41Z
// Spec: openspec/specs/static-validation/spec.md#requirement-files-that-a-template-names
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package eval

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Stage is the files that a target sees.
type Stage struct {
	paths   map[string]string // path in the stage → path in the project
	files   map[string][]byte // contents by path in the project
	largest int               // bytes of the largest one
}

func newStage(target hybridcore.Target, files map[string][]byte) Stage {
	s := Stage{paths: map[string]string{}, files: files}
	for _, f := range target.Files {
		s.paths[f.Path] = f.From
		s.largest = max(s.largest, len(files[f.From]))
	}
	return s
}

// Content is the content of a staged file by the path that a template names.
func (s Stage) Content(p string) ([]byte, bool) {
	from, ok := s.paths[Clean(p)]
	if !ok {
		return nil, false
	}
	content, ok := s.files[from]
	return content, ok
}

// Paths are those of all files, sorted.
func (s Stage) Paths() []string { return slices.Sorted(maps.Keys(s.paths)) }

// Has says whether a file, or a folder with files, is in the stage.
func (s Stage) Has(p string) bool {
	clean := Clean(p)
	if _, ok := s.paths[clean]; ok || clean == "." {
		return true
	}
	for staged := range s.paths {
		if strings.HasPrefix(staged, clean+"/") {
			return true
		}
	}
	return false
}

// Matches says whether a pattern matches a file of the stage.
func (s Stage) Matches(pattern string) bool {
	for staged := range s.paths {
		if match, err := path.Match(Clean(pattern), staged); err == nil && match {
			return true
		}
	}
	return false
}

// Clean is a path of a template as a path in the stage.
func Clean(p string) string { return path.Clean(strings.ReplaceAll(p, `\`, "/")) }

// Outside says whether a path leaves the stage. The stage holds no links: what
// links pointed to was copied, and a link that leaves templates/ is refused
// before.
func Outside(text string) bool {
	clean := Clean(text)
	return strings.HasPrefix(clean, "/") || strings.HasPrefix(clean, "~") || clean == ".." ||
		strings.HasPrefix(clean, "../") || strings.Contains(text, "\x00")
}

// Climbs says whether a path has .. in it: a pattern before it multiplies what is
// found, and where it leads is not seen at once.
func Climbs(text string) bool {
	return slices.Contains(strings.Split(strings.ReplaceAll(text, `\`, "/"), "/"), "..")
}
