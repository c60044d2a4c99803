// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:10Z
// Spec: openspec/specs/reports/spec.md#requirement-progress-of-a-build
// Diagram: openspec/specs/reports/diagram.md#values-to-text

// Package checks renders plans and records at a terminal, and answers as JSON.
package checks

import (
	"regexp"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Style says what the output can show.
type Style struct {
	Color bool // ANSI colours
	Live  bool // cursor movement: a terminal
}

func (s Style) paint(code, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// inert makes what others wrote safe to print, and keeps our own colours.
func (s Style) inert(said string) string {
	if !s.Color {
		return text.Sanitize(said)
	}
	var b strings.Builder
	done := 0
	for _, at := range colours.FindAllStringIndex(said, -1) {
		b.WriteString(text.Sanitize(said[done:at[0]]) + said[at[0]:at[1]])
		done = at[1]
	}
	b.WriteString(text.Sanitize(said[done:]))
	return b.String()
}

var colours = regexp.MustCompile("\x1b\\[(0|2|31|32|33)m")

// Dim is text that steps back.
func (s Style) Dim(text string) string { return s.paint("2", text) }

// Red is text about a failure.
func (s Style) Red(text string) string   { return s.paint("31", text) }
func (s Style) green(text string) string { return s.paint("32", text) }

// Yellow is text to be looked at.
func (s Style) Yellow(text string) string { return s.paint("33", text) }

// Status is a status, or a text in its colour.
func (s Style) Status(status hybridcore.Status, text string) string {
	switch status {
	case hybridcore.Built, hybridcore.UnchangedDone, hybridcore.Validated, hybridcore.Published:
		return s.green(text)
	case hybridcore.Failed:
		return s.Red(text)
	default:
		return s.Yellow(text)
	}
}

func (s Style) severity(severity hybridcore.Severity) string {
	text := string(severity) + ":"
	switch severity {
	case hybridcore.Error:
		return s.Red(text)
	case hybridcore.Warning:
		return s.Yellow(text)
	default:
		return s.Dim(text)
	}
}
