// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/templates/spec.md#requirement-a-target-is-a-fixed-list-of-files
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

package templates

import (
	"path"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Target returns the target of an image on a platform in an environment, with
// its files and source, and without variables and digests. Unknown names and
// unsupported platforms are UsageErrors. from is the value of the platform's
// Choice, and is ignored where there is none; a value for which there is no
// template is a *hybridcore.FindingsError at the place that sets it.
func (s *Set) Target(image string, platform hybridcore.Platform, env string,
	from hybridcore.Variable,
) (hybridcore.Target, error) {
	found, err := s.Image(image)
	if err != nil {
		return hybridcore.Target{}, err
	}
	if !slices.Contains(found.Platforms, platform) {
		if reason, ok := found.Unsupported[platform]; ok {
			return hybridcore.Target{}, hybridcore.Usagef("the image %s cannot be built for %s: %s", image,
				platform.Info().Title, reason)
		}
		return hybridcore.Target{}, hybridcore.Usagef("the image %s is not made for %s; %s:%d lists: %s", image,
			platform.Info().Title, found.File, found.Line, join(found.Platforms))
	}
	if !slices.Contains(s.environments, env) {
		return hybridcore.Target{},
			hybridcore.Usagef("the environment %.80q has no folder %s/%s/%s; folders: %s", env, ConfigsDir, env,
				text.DidYouMean(env, s.environments), strings.Join(s.environments, ", "))
	}
	b, err := s.choose(platform, found.OS, from)
	if err != nil {
		return hybridcore.Target{}, err
	}
	source, err := b.last().sourceFor(found)
	if err != nil {
		return hybridcore.Target{}, err
	}
	return hybridcore.Target{
		Image: found, Platform: platform, Env: env, Source: source,
		Files: s.targetFiles(found, b, source),
	}, nil
}

// targetFiles lists what the stage of a target holds, sorted by path. What
// only some platforms use is not common: an installer only goes where a medium
// is booted.
func (s *Set) targetFiles(image hybridcore.Image, b builder, source string) []hybridcore.File {
	file := func(stage, from string, common bool) hybridcore.File {
		return hybridcore.File{Path: stage, From: path.Join(Dir, from), SHA256: s.files[from].sha256, Common: common}
	}
	var files []hybridcore.File
	for _, p := range b.parts {
		files = append(files, file(p.stage, p.path, p.everywhere))
	}
	kind, _, _ := strings.Cut(source, ".")
	installers := "installers/" + image.Family + "/"
	for name := range s.files {
		switch {
		case strings.HasPrefix(name, "ansible/"), strings.HasPrefix(name, "scripts/"+image.OS+"/"):
			files = append(files, file(name, name, true))
		case strings.HasPrefix(name, installers) && strings.HasSuffix(kind, "-iso"):
			files = append(files, file(name, name, false))
		}
	}
	slices.SortFunc(files, func(a, b hybridcore.File) int { return strings.Compare(a.Path, b.Path) })
	return files
}
