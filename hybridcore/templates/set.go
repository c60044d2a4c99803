// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:05:24Z
// Spec: openspec/specs/templates/spec.md#requirement-a-target-is-a-fixed-list-of-files
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

// Package templates turns the folder templates/ into targets: the catalogue of
// images, the files of one target with their digests, the variables and
// plugins it declares, and the work directory that Packer runs in.
package templates

import (
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Set is a loaded templates folder. It does not change: its methods may be
// called at the same time, and read no file.
type Set struct {
	images       []hybridcore.Image
	files        map[string]asset     // by path below templates/
	templates    map[string]*template // by path below templates/
	builders     map[hybridcore.Platform][]builder
	environments []string // folders of configs/, sorted
	warnings     []hybridcore.Finding
}

// Warnings are findings that do not block: variable files that nothing reads.
func (s *Set) Warnings() []hybridcore.Finding { return slices.Clone(s.warnings) }

// Images lists the catalogue in the order of its file.
func (s *Set) Images() []hybridcore.Image { return slices.Clone(s.images) }

// Environments lists the folders of configs/, sorted.
func (s *Set) Environments() []string { return slices.Clone(s.environments) }

// Image returns the image of that name, or a UsageError that lists all and
// names the nearest.
func (s *Set) Image(name string) (hybridcore.Image, error) {
	names := make([]string, 0, len(s.images))
	for _, image := range s.images {
		if image.Name == name {
			return image, nil
		}
		names = append(names, image.Name)
	}
	return hybridcore.Image{}, hybridcore.Usagef("unknown image %.80q%s; %s/%s has: %s", name,
		text.DidYouMean(name, names), Dir, catalogue, strings.Join(names, ", "))
}

// LayerFiles lists the variable files of a target, lowest first, with the
// name of each layer. Files may be absent.
func (s *Set) LayerFiles(image hybridcore.Image, platform hybridcore.Platform, env string) []hybridcore.Layer {
	var layers []hybridcore.Layer
	add := func(name, path string) {
		layers = append(layers, hybridcore.Layer{Name: name, File: path + varSuffix})
	}
	for _, level := range []string{
		image.OS, image.OS + "/" + image.Family,
		image.OS + "/" + image.Family + "/" + image.Version,
	} {
		for _, leaf := range []string{"common", string(platform)} {
			add(level+"/"+leaf, Dir+"/"+varsDir+"/"+level+"/"+leaf)
		}
	}
	for _, leaf := range []string{"common", string(platform), image.Name, hybridcore.TargetName(image.Name, platform)} {
		path := ConfigsDir + "/" + env + "/" + leaf
		add(path, path)
	}
	return layers
}

// builder is one way to build images of a system on a platform: the templates
// that are staged together. The last one holds the sources.
type builder struct {
	system string // operating system of the images that it builds
	from   string // value of the choice; empty where there is one way only
	parts  []part
}

// part is one template of a builder.
type part struct {
	path, stage string // below templates/, and in the stage
	everywhere  bool   // staged for every target: part of the recipe
	shared      bool   // its variables are part of the recipe too
	template    *template
}

// last is the template that holds the sources.
func (b builder) last() *template { return b.parts[len(b.parts)-1].template }

// asset is one file below templates/.
type asset struct {
	sha256 string
	size   int64
}
