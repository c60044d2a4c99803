// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:05:24Z
// Spec: openspec/specs/templates/spec.md#requirement-a-target-is-a-fixed-list-of-files
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

// Package templates turns the folder templates/ into targets: the catalogue of
// images, the files of one target with their digests, the variables and
// plugins it declares, and the work directory that Packer runs in.
package templates

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Places below the project root.
const (
	Dir         = "templates"
	ConfigsDir  = "configs"
	catalogue   = "images.hcl"
	common      = "common.pkr.hcl"    // what all targets share
	variables   = "variables.pkr.hcl" // that every target has; may be absent
	osDir       = "os"                // the build of each operating system
	platformDir = "platforms"
	fromDir     = "from"
	varsDir     = "vars"
	varSuffix   = ".pkrvars.hcl"
	suffix      = ".pkr.hcl"
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
	return hybridcore.Image{}, hybridcore.Usagef("unknown image %.80q%s; %s/%s has: %s", name, hybridcore.DidYouMean(name, names), Dir, catalogue, strings.Join(names, ", "))
}

// Target returns the target of an image on a platform in an environment, with
// its files and source, and without variables and digests. Unknown names and
// unsupported platforms are UsageErrors. from is the value of the platform's
// Choice, and is ignored where there is none; a value for which there is no
// template is a *hybridcore.FindingsError at the place that sets it.
func (s *Set) Target(image string, platform hybridcore.Platform, env string, from hybridcore.Variable) (hybridcore.Target, error) {
	found, err := s.Image(image)
	if err != nil {
		return hybridcore.Target{}, err
	}
	if !slices.Contains(found.Platforms, platform) {
		if reason, ok := found.Unsupported[platform]; ok {
			return hybridcore.Target{}, hybridcore.Usagef("the image %s cannot be built for %s: %s", image, platform.Info().Title, reason)
		}
		return hybridcore.Target{}, hybridcore.Usagef("the image %s is not made for %s; %s:%d lists: %s", image, platform.Info().Title, found.File, found.Line, join(found.Platforms))
	}
	if !slices.Contains(s.environments, env) {
		return hybridcore.Target{}, hybridcore.Usagef("the environment %.80q has no folder %s/%s/%s; folders: %s", env, ConfigsDir, env,
			hybridcore.DidYouMean(env, s.environments), strings.Join(s.environments, ", "))
	}
	b, err := s.choose(platform, found.OS, from)
	if err != nil {
		return hybridcore.Target{}, err
	}
	source, err := b.last().sourceFor(found)
	if err != nil {
		return hybridcore.Target{}, err
	}
	return hybridcore.Target{Image: found, Platform: platform, Env: env, Source: source, Files: s.targetFiles(found, b, source)}, nil
}

// LayerFiles lists the variable files of a target, lowest first, with the
// name of each layer. Files may be absent.
func (s *Set) LayerFiles(image hybridcore.Image, platform hybridcore.Platform, env string) []hybridcore.Layer {
	var layers []hybridcore.Layer
	add := func(name, path string) {
		layers = append(layers, hybridcore.Layer{Name: name, File: path + varSuffix})
	}
	for _, level := range []string{image.OS, image.OS + "/" + image.Family, image.OS + "/" + image.Family + "/" + image.Version} {
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

func platformFile(platform hybridcore.Platform) string {
	return platformDir + "/" + string(platform) + suffix
}

func systemFile(system string) string { return osDir + "/" + system + suffix }

func join(platforms []hybridcore.Platform) string {
	names := make([]string, 0, len(platforms))
	for _, p := range platforms {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}
