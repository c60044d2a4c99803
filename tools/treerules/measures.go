// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:32:00Z
// Spec: openspec/specs/repository/spec.md#requirement-measures-of-the-house
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules

// Measures are those of this repository.
func Measures() []Measure {
	return []Measure{
		{Name: "Uses between the files of a package that run back up", Most: 10, Unit: "%", Of: Back()},
		{Name: "The same in the stages of the runner", Most: 0, Unit: "%", Of: Back("runner")},
		{Name: "Methods of a type", Most: 25, Unit: "methods", Of: Methods},
		{Name: "A package, tests aside", Most: 2500, Unit: "lines", Of: PackageLines},
		{Name: "Median of the files, tests aside", Most: 130, Unit: "lines", Of: FileMedian},
		{Name: "A line of Go", Most: 120, Unit: "columns", Of: Columns},
		{Name: "cmd/packer-hybrid", Most: 1500, Unit: "lines", Of: LinesOf("cmd/packer-hybrid")},
	}
}
