// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:42:09Z
// Spec: openspec/specs/state/spec.md#requirement-what-a-record-says-of-a-build
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package hybridcore

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Provenance is what a target was built with beside the digests of its inputs. A
// record of an older version has none.
type Provenance struct {
	Checkout Checkout          `json:"checkout"`
	Sources  map[string]string `json:"sources,omitempty"` // upstream → the commit that the lock pins
	Tools    []Tool            `json:"tools"`
	// StandIns are what of the lab took the place of a plugin or guest: then the artifact is no
	// image of that system. None says that there were none.
	StandIns []string `json:"stand_ins,omitempty"`
}

// Checkout says which inputs of a target are not as the commit of the checkout has them.
type Checkout struct {
	Commit  string        `json:"commit,omitempty"`
	Differs []Uncommitted `json:"differs,omitempty"`
	Unknown string        `json:"unknown,omitempty"` // why the inputs were not compared; empty when they were
}

// Clean says whether every file among the inputs is as the commit has it.
func (c Checkout) Clean() bool {
	file := func(u Uncommitted) bool { return u.State != InputOfEnvironment }
	return c.Unknown == "" && !slices.ContainsFunc(c.Differs, file)
}

// Uncommitted is one input that the commit has not, or has in another form.
type Uncommitted struct {
	Input  string           `json:"input"` // a path relative to the project root; "var:NAME" of a variable
	State  UncommittedState `json:"state"`
	SHA256 string           `json:"sha256,omitempty"` // of the file, or of the canonical JSON of the value
}

// UncommittedState says how an input differs from a commit.
type UncommittedState string

// States of uncommitted inputs.
const (
	InputChanged       UncommittedState = "changed"     // the commit has another content
	InputLineEnds      UncommittedState = "line-ends"   // the commit has other ends of lines
	InputUntracked     UncommittedState = "untracked"   // the commit has no such file
	InputRemoved       UncommittedState = "removed"     // only the commit has such a file; there is no digest
	InputOfEnvironment UncommittedState = "environment" // a variable that the environment of the process sets
)

// Tool is one program or library that took part in a build.
type Tool struct {
	// Name is packer-hybrid, packer, plugin:ADDRESS, ansible-core, python or collection:NAME.
	Name    string `json:"name"`
	Version string `json:"version"`          // as it names itself; "unknown" when it did not say
	SHA256  string `json:"sha256,omitempty"` // of the binary, where it was checked
}

// Lines are what people read of it: a word, and what it says.
func (p *Provenance) Lines() [][2]string {
	if p == nil {
		return nil
	}
	lines := [][2]string{{"commit", p.Checkout.sentence()}}
	for _, one := range p.Checkout.Differs {
		what := fmt.Sprintf("%s  sha256 %.12s", text.Line(one.Input), cmp.Or(one.SHA256, "-"))
		lines = append(lines, [2]string{text.Line(string(one.State)), what})
	}
	var tools, pins []string
	for _, one := range p.Tools {
		tools = append(tools, strings.TrimPrefix(one.Name, PluginKey)+" "+one.Version)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Sources)) {
		pins = append(pins, fmt.Sprintf("%s %.12s", name, p.Sources[name]))
	}
	for _, line := range [][2]string{{"tools", strings.Join(tools, ", ")}, {"sources", strings.Join(pins, ", ")}} {
		if line[1] != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func (c Checkout) sentence() string {
	switch {
	case c.Unknown != "":
		return cmp.Or(fmt.Sprintf("%.12s", c.Commit), "none") + ": the inputs were not compared with it, because " + c.Unknown
	case len(c.Differs) == 0:
		return fmt.Sprintf("%.12s, which has all inputs", c.Commit)
	default:
		return fmt.Sprintf("%.12s, which has not %d of the inputs", c.Commit, len(c.Differs))
	}
}
