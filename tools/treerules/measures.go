// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:32:00Z
// Spec: openspec/specs/repository/spec.md#requirement-measures-of-the-house
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules

// Measures are those of this repository.
func Measures() []Measure {
	return []Measure{
		{Name: "Uses between the files of a package that run back up", Most: 10, Unit: "%", Of: Back(), Known: knownBack},
		{Name: "The same in the stages of the runner", Most: 0, Unit: "%", Of: Back("runner")},
		{Name: "Methods of a type", Most: 25, Unit: "methods", Of: Methods, Known: knownMethods},
		{Name: "A package, tests aside", Most: 2500, Unit: "lines", Of: PackageLines, Known: knownLines},
		{Name: "Median of the files, tests aside", Most: 130, Unit: "lines", Of: FileMedian},
		{Name: "A line of Go", Most: 120, Unit: "columns", Of: Columns},
		{Name: "cmd/packer-hybrid", Most: 1500, Unit: "lines", Of: LinesOf("cmd/packer-hybrid")},
	}
}

// knownBack are the packages of which more than a tenth of the uses run back up.
var knownBack = map[string]int{
	"checks/post": 13,
}

// knownMethods are the types with more than 25 methods.
var knownMethods = map[string]int{
	"bot:Worker": 40,
}

// knownLines are the packages with more than 2,500 lines.
var knownLines = map[string]int{
	"bot": 3431,
}
