// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/ci/spec.md#requirement-one-package-for-the-ci-system
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci

import (
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
)

// parsed is one line of the grammar, read.
type parsed struct {
	line   string
	spread bool // over all environments of a change: the line names none
	hybridcore.Request
}

func parse(line string) (parsed, error) {
	r, err := command.Parse(line)
	if err != nil {
		return parsed{}, err
	}
	words, err := command.Words(line)
	return parsed{line: command.Line(words), Request: r}, err
}

// add adds words to the line.
func (c *parsed) add(words ...string) { c.line += " " + strings.Join(words, " ") }

// number reads a number of the event; 0 is nobody's.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}
