// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:46:30Z
// Spec: openspec/specs/static-validation/spec.md#requirement-policy-for-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package untrusted

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/parts"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
)

// values checks settings of which not every value is harmless.
func (t *Target) values(part *parts.Part) {
	for _, name := range slices.Sorted(maps.Keys(part.Attrs)) {
		set := part.Attrs[name]
		switch {
		case part.Kind == schemas.Provisioner && part.Name == "ansible" && name == "extra_arguments":
			t.arguments(part, set)
		case part.Kind == schemas.Provisioner && part.Name == "ansible" && name == "ansible_env_vars":
			t.environment(part, set)
		case part.Kind == schemas.Provisioner && part.Name == "file" && name == "direction" && !set.Value.IsKnown():
			t.Found.Refuse(part.File, finding.RulePolicyPath, set.Attr.SrcRange,
				"direction of "+part.What+" cannot be told before it is evaluated", "write it out")
		case name == "cd_content":
			t.contents(part, set)
		case slices.Contains(plainWords, name):
			for _, text := range append(eval.StringsOf(set.Value), eval.StringOf(set.Value)) {
				if text != "" && !word.MatchString(text) {
					t.Found.Refuse(part.File, finding.RulePolicyRun, set.Attr.SrcRange,
						fmt.Sprintf("%s of %s is %.80q, which another program may read as more than a word", name, part.What,
							text), "write a word")
				}
			}
			if !set.Value.IsWhollyKnown() && !t.ofRun(set.Attr.Expr) && !ofAnotherTarget(part) {
				t.Found.Refuse(part.File, finding.RulePolicyRun, set.Attr.SrcRange,
					fmt.Sprintf("%s of %s cannot be told before it is evaluated", name, part.What), "write it out")
			}
		}
	}
}

// contents checks the names of files that are written before they are put on a CD.
func (t *Target) contents(part *parts.Part, set parts.Setting) {
	if !set.Value.IsKnown() && !ofAnotherTarget(part) {
		t.Found.Refuse(part.File, finding.RulePolicyPath, set.Attr.SrcRange,
			"the names in cd_content of "+part.What+" cannot be told before they are evaluated", "write them out")
	}
	for _, name := range keysOf(set.Value) {
		if eval.Climbs(name) || strings.Contains(name, "\x00") {
			t.Found.Refuse(part.File, finding.RulePolicyPath, set.Attr.SrcRange,
				fmt.Sprintf("%.80q in cd_content of %s leaves its folder", name, part.What), "write a path without ..")
		}
	}
}

// media checks where installation media come from.
func (p *Policy) media(t *Target, part *parts.Part) {
	for _, name := range []string{"iso_url", "iso_urls", "iso_checksum"} {
		setting, ok := part.Attrs[name]
		if !ok {
			continue
		}
		if !setting.Value.IsWhollyKnown() && !ofAnotherTarget(part) {
			t.Found.Refuse(part.File, finding.RulePolicyURL, setting.Attr.SrcRange,
				fmt.Sprintf("%s of %s cannot be told before it is evaluated", name, part.What), "write it out")
		}
		for _, text := range append(eval.StringsOf(setting.Value), eval.StringOf(setting.Value)) {
			from := text
			if name == "iso_checksum" {
				if digest.MatchString(text) {
					continue
				}
				from = strings.TrimPrefix(text, "file:")
			}
			if text != "" && !p.hosts(from) {
				t.Found.Refuse(part.File, finding.RulePolicyURL, setting.Attr.SrcRange,
					fmt.Sprintf("%s of %s is fetched from %.120q, which is not allowed", name, part.What, text),
					"allowed are https:// without //, .. and ? in the path, and these hosts: "+strings.Join(p.Hosts, ", "))
			}
		}
	}
}

// digest is a checksum that is written out; file: names where to fetch it.
var digest = regexp.MustCompile(`^(none|((md5|sha1|sha256|sha512):)?[0-9A-Fa-f]+)$`)

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
	case strings.ContainsAny(text, "?#\\"), eval.Climbs(at.Path):
		return false
	case strings.Contains(at.Path, "//"), strings.Contains(at.Path, "::"):
		return false
	}
	return !strings.ContainsAny(at.Path, "?#\\")
}
