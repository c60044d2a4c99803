// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/templates/spec.md#requirement-a-target-is-a-fixed-list-of-files
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

package templates

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Load reads everything below templates/ of the project at root, once, and
// the names of the folders of configs/. All problems come joined as
// *hybridcore.FindingsError.
func Load(root *os.Root) (*Set, error) {
	sub, err := open(root)
	if err != nil {
		return nil, err
	}
	defer sub.Close() //nolint:errcheck // only read
	return load(hclfile.Folder(sub), root.FS())
}

// Catalogue reads the images of the project at root, and no template of them.
// Their problems come joined as *hybridcore.FindingsError.
func Catalogue(root *os.Root) ([]hybridcore.Image, error) {
	sub, err := open(root)
	if err != nil {
		return nil, err
	}
	defer sub.Close() //nolint:errcheck // only read
	images, findings := readCatalogue(hclfile.Folder(sub))
	if hybridcore.Blocked(findings) != hybridcore.NotBlocked {
		return nil, &hybridcore.FindingsError{Findings: findings}
	}
	return images, nil
}

func open(root *os.Root) (*os.Root, error) {
	sub, err := root.OpenRoot(Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noTemplates()
	}
	if err != nil {
		return nil, fmt.Errorf("loading templates: %w", err)
	}
	return sub, nil
}

// LoadFS is like Load, from a project's tree of any kind. Its sub-trees must
// keep links within themselves.
func LoadFS(tree fs.FS) (*Set, error) {
	if _, err := fs.Stat(tree, Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, noTemplates()
	}
	sub, err := fs.Sub(tree, Dir)
	if err != nil {
		return nil, fmt.Errorf("loading templates: %w", err)
	}
	return load(sub, tree)
}

func noTemplates() error {
	return hybridcore.Usagef("the project has no folder %s/; run `packer-hybrid init` to make one", Dir)
}

// load reads the templates from their folder and the environments' names from
// the project.
func load(sub, project fs.FS) (*Set, error) {
	var err error
	set := &Set{templates: map[string]*template{}, builders: map[hybridcore.Platform][]builder{}}
	var findings []hybridcore.Finding
	if set.files, findings, err = walk(sub); err != nil {
		return nil, fmt.Errorf("loading templates: %w", err)
	}
	images, problems := readCatalogue(sub)
	set.images = images
	findings = append(findings, problems...)
	findings = append(findings, set.readTemplates(sub)...)
	findings = append(findings, set.checkImages()...)
	findings = append(findings, set.unread()...)
	configs, problems, err := readConfigs(project, set)
	if err != nil {
		return nil, fmt.Errorf("loading templates: %w", err)
	}
	set.environments = configs
	for _, finding := range append(findings, problems...) {
		if !finding.Blocking {
			set.warnings = append(set.warnings, finding)
		}
	}
	if hybridcore.Blocked(findings) != hybridcore.NotBlocked {
		return nil, &hybridcore.FindingsError{Findings: findings}
	}
	return set, nil
}

// checkImages finds images on platforms, or of systems, that have no template.
// A project whose common template holds the build of all has none for systems.
func (s *Set) checkImages() []hybridcore.Finding {
	var findings []hybridcore.Finding
	missing := func(image hybridcore.Image, file, lists, hint string) {
		if _, ok := s.files[file]; ok {
			return
		}
		findings = append(findings, hybridcore.Finding{
			Kind: hybridcore.KindSchema, Subject: image.Name, File: image.File, Line: image.Line,
			Message: fmt.Sprintf("the image %s %s, but %s/%s does not exist", image.Name, lists, Dir, file),
			Hint:    hint, Severity: hybridcore.Error, Blocking: true,
		})
	}
	bySystem := slices.ContainsFunc(slices.Collect(maps.Keys(s.files)), func(name string) bool { return path.Dir(name) == osDir })
	for _, image := range s.images {
		if bySystem {
			missing(image, systemFile(image.OS), "is of the system "+image.OS, "add the build of the system")
		}
		for _, platform := range image.Platforms {
			missing(image, platformFile(platform), "lists "+string(platform), "add the template of the platform, or take the platform off the image")
		}
	}
	return findings
}
