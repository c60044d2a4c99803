// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:46:00Z
// Spec: openspec/specs/ci/spec.md#requirement-hostile-values
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci

import (
	"net/url"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Shown makes a foreign value fit to be shown: one line, inert, short.
func Shown(value string) string {
	value = value[:min(len(value), 16*maxShown)] // a megabyte is not worth its cleaning
	text := strings.Join(strings.Fields(text.JobLog(value)), " ")
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown-1]) + "…"
	}
	return text
}

// maxShown bounds a foreign name that is shown, in characters. Git allows more
// for a ref; a reader needs no more to know it again.
const maxShown = 100

// shownLines makes a text of several lines fit to be shown.
func shownLines(said string) string {
	said = said[:min(len(said), 4*command.MaxBytes)]
	return text.JobLog(said)
}

// link is a web address of the CI system, or nothing when it is none: it
// is only for people to follow.
func link(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" ||
		len(address) > 1000 {
		return ""
	}
	return Shown(u.String())
}
