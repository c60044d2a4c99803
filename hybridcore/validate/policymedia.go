// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:57:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-settings-of-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package validate

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// digest is a checksum that is written out; file: names where to fetch it.
var digest = regexp.MustCompile(`^(none|((md5|sha1|sha256|sha512):)?[0-9A-Fa-f]+)$`)

// media checks where installation media come from.
func (p *Policy) media(s *scope, part *component) {
	for _, name := range []string{"iso_url", "iso_urls", "iso_checksum"} {
		setting, ok := part.attrs[name]
		if !ok {
			continue
		}
		if !setting.value.IsWhollyKnown() && !part.elsewhere() {
			s.refuse(part.file, RulePolicyURL, setting.attr.SrcRange,
				fmt.Sprintf("%s of %s cannot be told before it is evaluated", name, part.what), "write it out")
		}
		for _, text := range append(stringsOf(setting.value), stringOf(setting.value)) {
			from := text
			if name == "iso_checksum" {
				if digest.MatchString(text) {
					continue
				}
				from = strings.TrimPrefix(text, "file:")
			}
			if text != "" && !p.hosts(from) {
				s.refuse(part.file, RulePolicyURL, setting.attr.SrcRange,
					fmt.Sprintf("%s of %s is fetched from %.120q, which is not allowed", name, part.what, text),
					"allowed are https:// without //, .. and ? in the path, and these hosts: "+strings.Join(p.Hosts, ", "))
			}
		}
	}
}

// hosts says whether a medium comes from an allowed host, and from there only:
// the downloader takes more from a query, from what follows a second //, and from
// a scheme before ::.
func (p *Policy) hosts(text string) bool {
	at, err := url.Parse(text)
	switch {
	case err != nil, at.Scheme != "https", at.User != nil, at.Opaque != "":
		return false
	case !slices.Contains(p.Hosts, strings.ToLower(at.Host)):
		return false
	case strings.ContainsAny(text, "?#\\"), climbs(at.Path):
		return false
	case strings.Contains(at.Path, "//"), strings.Contains(at.Path, "::"):
		return false
	}
	return !strings.ContainsAny(at.Path, "?#\\")
}

// functions refuses those that read more than the tree, wherever they stand:
// also in defaults, which Packer evaluates first.
func (p *Policy) functions(s *scope, file *hclfile.File, paths map[hclsyntax.Expression]bool) {
	walkExpressions(file.Body, nil, func(expr hclsyntax.Expression, _ iterators) {
		facts := s.factsOf(expr)
		for _, call := range facts.calls {
			what := functions[call.Name].reads
			switch {
			case call.Name == "env":
				what = "the environment"
			case call.Name == "abspath" && (!paths[expr] || len(facts.calls) > 1):
				what = "where the stage is"
			}
			if what != "" {
				s.refuse(file, RulePolicyCall, call.NameRange,
					fmt.Sprintf("%s() reads %s when Packer only validates", call.Name, what), "give the value as a variable")
			}
		}
		for _, t := range facts.traversals {
			if t.RootName() == "path" && attrName(t, 1) != "root" {
				s.refuse(file, RulePolicyPath, t.SourceRange(), "path.cwd leads out of the tree", "name files from ${path.root}")
			}
		}
	})
}

// calls refuses functions that read anything in a text that templatefile renders:
// Packer has all of its functions there.
func (p *Policy) calls(s *scope, t *text) {
	for _, call := range s.factsOf(t.expr).calls {
		known := functions[call.Name]
		if known.reads != "" || call.Name == "env" || call.Name == "abspath" || slices.Contains(readers, call.Name) {
			s.refuse(t.file, RulePolicyCall, call.NameRange,
				call.Name+"() reads something in a text that templatefile renders", "give the text its values")
		}
	}
}
