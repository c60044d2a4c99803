// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:23:48Z
// Spec: openspec/specs/provisioning/spec.md#requirement-tools-before-packer
// Diagram: openspec/specs/provisioning/diagram.md#tools-before-packer

package provisioners

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hashicorp/go-version"
	"go.yaml.in/yaml/v3"
)

// answered is what ansible-playbook says of itself.
type answered struct {
	Core, Python string
	Beside       string   // folder of Python's packages, where collections may be too
	Collections  []string // folders in which it looks for them when nothing is configured
}

var (
	coreLine   = regexp.MustCompile(`(?m)^ansible-playbook (?:\[core )?([0-9][0-9A-Za-z.]*)`)
	pythonLine = regexp.MustCompile(`(?m)^[ \t]*python version = ([0-9][0-9A-Za-z.+]*)`)
	moduleLine = regexp.MustCompile(`(?m)^[ \t]*ansible python module location = (/.+)$`)
	foundLine  = regexp.MustCompile(`(?m)^[ \t]*ansible collection location = (/.+)$`)
)

// parse reads the answer of ansible-playbook --version.
func parse(answer string) answered {
	first := func(rule *regexp.Regexp) string {
		if m := rule.FindStringSubmatch(answer); m != nil {
			return strings.TrimSpace(m[1])
		}
		return ""
	}
	a := answered{Core: first(coreLine), Python: first(pythonLine)}
	a.Collections = filepath.SplitList(first(foundLine))
	if module := first(moduleLine); module != "" {
		a.Beside = filepath.Dir(module)
	}
	return a
}

// numbers are those with which a version begins: a development version of Python's form, such
// as 2.19.0.dev0, is none of go-version's.
var numbers = regexp.MustCompile(`^[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}`)

// newer says whether a version is newer than another one, by their numbers. Of one that has
// none nobody knows, and it is said of neither.
func newer(a, b string) bool {
	left, err := version.NewVersion(numbers.FindString(a))
	if err != nil {
		return false
	}
	right, err := version.NewVersion(numbers.FindString(b))
	return err == nil && left.GreaterThan(right)
}

// meets says whether a version fits a constraint as Ansible writes it. What cannot be read fits.
func meets(constraint, got string) bool {
	var parts []string
	for part := range strings.SplitSeq(constraint, ",") {
		if part = strings.TrimSpace(part); part != "" && part != "*" {
			parts = append(parts, strings.Replace(part, "==", "=", 1))
		}
	}
	if len(parts) == 0 {
		return true
	}
	rule, err := version.NewConstraint(strings.Join(parts, ", "))
	if err != nil {
		return true
	}
	has, err := version.NewVersion(got)
	return err != nil || rule.Check(has)
}

// collectionVersion is the version that a file of a collection names; empty for other files.
func collectionVersion(name string, data []byte) string {
	switch name {
	case "MANIFEST.json":
		var manifest struct {
			Info struct {
				Version string `json:"version"`
			} `json:"collection_info"`
		}
		if json.Unmarshal(data, &manifest) == nil {
			return manifest.Info.Version
		}
	case "galaxy.yml":
		var galaxy struct {
			Version string `yaml:"version"`
		}
		if yaml.Unmarshal(data, &galaxy) == nil {
			return galaxy.Version
		}
	}
	return ""
}
