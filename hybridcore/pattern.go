// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:45:20Z
// Spec: openspec/specs/cli/spec.md#requirement-a-quick-start
// Diagram: openspec/specs/cli/diagram.md#one-command

package hybridcore

import (
	"regexp"
	"sync"
)

// Pattern is a regular expression for a package's variable: it is compiled when
// it is first used, so that the start of a process does not pay for those of
// all packages. Using a wrong expression panics; the tree's rules try each.
func Pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
