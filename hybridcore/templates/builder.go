// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:52:00Z
// Spec: openspec/specs/templates/spec.md#requirement-ways-to-build
// Diagram: openspec/specs/templates/diagram.md#ways-to-build-on-one-platform

package templates

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// choice is the variable that says what a build starts from, on a platform
// that can build in more than one way.
const choice = "build_from"

// readTemplates reads the templates of every way to build, each once.
func (s *Set) readTemplates(sub fs.FS) []hybridcore.Finding {
	var findings []hybridcore.Finding
	if _, ok := s.files[common]; !ok { // told even when there is no platform
		_, findings = readTemplate(sub, common)
	}
	for _, info := range hybridcore.Platforms() {
		if _, ok := s.files[platformFile(info.Name)]; !ok {
			continue
		}
		for _, system := range s.systems() {
			for _, from := range s.ways(info.Name) {
				b, problems := s.readBuilder(sub, info.Name, builder{system: system, from: from})
				for _, problem := range problems {
					if !slices.Contains(findings, problem) { // ways share templates
						findings = append(findings, problem)
					}
				}
				s.builders[info.Name] = append(s.builders[info.Name], b)
			}
		}
	}
	return findings
}

// systems lists the operating systems of the catalogue; one without a name
// when it has no image, so that the templates are checked all the same.
func (s *Set) systems() []string {
	var systems []string
	for _, image := range s.images {
		if !slices.Contains(systems, image.OS) {
			systems = append(systems, image.OS)
		}
	}
	if systems == nil {
		return []string{""}
	}
	return systems
}

// ways lists what builds on a platform can start from, sorted: the endings of
// the files platforms/PLATFORM-FROM. Without any, the template of the platform
// holds the sources itself.
func (s *Set) ways(platform hybridcore.Platform) []string {
	var ways []string
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		from, ok := strings.CutPrefix(name, platformDir+"/"+string(platform)+"-")
		if from, isTemplate := strings.CutSuffix(from, suffix); ok && isTemplate {
			ways = append(ways, from)
		}
	}
	if ways == nil {
		return []string{""}
	}
	return ways
}

// readBuilder reads the templates of one way to build and checks them
// together.
func (s *Set) readBuilder(sub fs.FS, platform hybridcore.Platform, b builder) (builder, []hybridcore.Finding) {
	var findings []hybridcore.Finding
	broken := false
	for _, p := range layout(platform, b.system, b.from) {
		if _, ok := s.files[p.path]; !ok {
			continue
		}
		t, known := s.templates[p.path]
		if !known {
			var problems []hybridcore.Finding
			t, problems = readTemplate(sub, p.path)
			findings = append(findings, problems...)
			s.templates[p.path] = t
		}
		if t == nil {
			broken = true
			continue
		}
		s.files[p.path] = asset{sha256: t.file.SHA256, size: int64(len(t.file.Source))} // what was parsed is what is staged
		p.template = t
		b.parts = append(b.parts, p)
	}
	if broken {
		return b, findings
	}
	return b, append(findings, b.check()...)
}

// layout lists the templates of one way to build images of a system; common
// variables first. Those that do not exist are left out.
func layout(platform hybridcore.Platform, system, from string) []part {
	parts := []part{
		{path: common, stage: common, everywhere: true, shared: true},
		{path: variables, stage: variables, everywhere: true, shared: true},
		{path: systemFile(system), stage: osDir + "-" + system + suffix, everywhere: true, shared: true},
		{path: platformDir + "/common" + suffix, stage: platformDir + suffix, everywhere: true},
	}
	if from != "" {
		parts = append(parts,
			part{path: fromDir + "/common" + suffix, stage: fromDir + suffix},
			part{path: fromDir + "/" + from + suffix, stage: fromDir + "-" + from + suffix},
			part{path: osDir + "/" + system + "-" + from + suffix, stage: osDir + "-" + system + "-" + from + suffix})
	}
	parts = append(parts, part{path: platformFile(platform), stage: string(platform) + suffix})
	if from != "" {
		name := string(platform) + "-" + from + suffix
		parts = append(parts, part{path: platformDir + "/" + name, stage: name})
	}
	return parts
}

// check finds what does not fit together: variables declared twice, sources
// that are missing or in the wrong file, and no variable to choose by.
func (b builder) check() []hybridcore.Finding {
	var findings []hybridcore.Finding
	var seen []hclfile.Declaration
	for i, p := range b.parts {
		for _, finding := range twice(slices.Concat(seen, p.template.declarations)) {
			if finding.File == p.template.file.Path && !strings.Contains(finding.Message, "first at "+finding.File+":") {
				findings = append(findings, finding)
			}
		}
		seen = append(seen, p.template.declarations...)
		if i < len(b.parts)-1 && len(p.template.sources) > 0 {
			findings = append(findings, p.template.wrong("local.sources stands in a template that all ways to build share",
				"move it, and the source blocks, to "+b.last().file.Path))
		}
	}
	findings = append(findings, b.last().checkSources()...)
	if b.from != "" && !slices.ContainsFunc(seen, func(d hclfile.Declaration) bool { return d.Name == choice }) {
		findings = append(findings, b.last().wrong(fmt.Sprintf("no template declares the variable %s, by which this one is chosen", choice),
			fmt.Sprintf("declare it in %s/%s/common%s", Dir, fromDir, suffix)))
	}
	return findings
}

// wrong is a finding about a template as a whole.
func (t *template) wrong(message, hint string) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: hybridcore.KindSchema, Subject: t.file.Path, File: t.file.Path, Message: message, Hint: hint, Severity: hybridcore.Error, Blocking: true,
	}
}

// Choice returns the declaration of the variable that says what a platform's
// builds start from; none where there is one way only. Its value goes into
// Target.
func (s *Set) Choice(platform hybridcore.Platform) []hclfile.Declaration {
	for _, b := range s.builders[platform] {
		for _, d := range b.declarations() {
			if d.Name == choice && b.from != "" {
				return []hclfile.Declaration{d}
			}
		}
	}
	return nil
}

// choose picks the way to build images of a system that a value names.
func (s *Set) choose(platform hybridcore.Platform, system string, from hybridcore.Variable) (builder, error) {
	builders := slices.DeleteFunc(slices.Clone(s.builders[platform]), func(b builder) bool { return b.system != system })
	if len(builders) == 1 && builders[0].from == "" {
		return builders[0], nil
	}
	known := make([]string, 0, len(builders))
	for _, b := range builders {
		if fmt.Sprintf("%q", b.from) == from.JSON {
			return b, nil
		}
		known = append(known, b.from)
	}
	finding := at(from, fmt.Sprintf("%s has no template for %s = %s; it can build from: %s", platform.Info().Title, choice, from.Text(), strings.Join(known, ", ")))
	finding.Hint = fmt.Sprintf("correct it, or add %s/%s/%s-FROM%s", Dir, platformDir, platform, suffix)
	return builder{}, &hybridcore.FindingsError{Findings: []hybridcore.Finding{finding}}
}

// builderOf finds the way to build of a target.
func (s *Set) builderOf(target hybridcore.Target) builder {
	for _, b := range s.builders[target.Platform] {
		if b.system == target.Image.OS && slices.Contains(b.last().sources, target.Source) {
			return b
		}
	}
	panic(fmt.Sprintf("templates: the target %s with the source %q is not of this set", target.Name(), target.Source))
}

// declarations lists the variables of a builder: the common ones first, each
// in the order of its file.
func (b builder) declarations() []hclfile.Declaration {
	var declarations []hclfile.Declaration
	for _, p := range b.parts {
		for _, d := range p.template.declarations {
			d.Common = p.shared
			declarations = append(declarations, d)
		}
	}
	return declarations
}

// Declarations lists the variables that the templates of a target declare: the
// common ones first, each in the order of its file.
func (s *Set) Declarations(target hybridcore.Target) []hclfile.Declaration {
	return s.builderOf(target).declarations()
}

// Plugins lists the plugins that the templates of a target require, the common
// ones first.
func (s *Set) Plugins(target hybridcore.Target) []Plugin {
	var plugins []Plugin
	for _, p := range s.builderOf(target).parts {
		plugins = append(plugins, p.template.plugins...)
	}
	return plugins
}

// Only lists the patterns of Packer's option -only that choose the builds of a
// target: its template may hold sources for other systems, and Packer would
// give them the same name. Packer puts the name of a build block before the
// source, and warns of a pattern that matches nothing.
func (s *Set) Only(target hybridcore.Target) []string {
	named := map[bool]string{false: target.Source, true: "*." + target.Source}
	var only []string
	for _, p := range s.builderOf(target).parts {
		for _, name := range p.template.builds {
			if pattern := named[name != ""]; !slices.Contains(only, pattern) {
				only = append(only, pattern)
			}
		}
	}
	return only
}

// Elsewhere lists the variables that only other targets declare, sorted:
// another platform or system, or another way to build on this one.
func (s *Set) Elsewhere(target hybridcore.Target) []string {
	own := map[string]bool{}
	for _, d := range s.Declarations(target) {
		own[d.Name] = true
	}
	names := map[string]bool{}
	for _, t := range s.templates {
		for _, d := range t.declarations {
			if !own[d.Name] {
				names[d.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}
