// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-comment-commands
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci_test

import (
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

func FuzzComment(f *testing.F) {
	for _, body := range []string{
		"/packer-hybrid biuld --tagets=vspere", "/packer-hybrid retry --env x",
		"/packer-hybrid \x1b[0m", "/packer-hybrid help",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		line, ours := ci.Remark(body)
		if !ours {
			return
		}
		if strings.ContainsAny(line, "\r\n") || !strings.HasPrefix(body, "/packer-hybrid") {
			t.Errorf("%q gives the line %q", body, line)
		}
		if suggestion := ci.Nearest(line); !strings.Contains(suggestion, "/packer-hybrid") {
			t.Errorf("%q suggests %q", line, suggestion)
		}
	})
}
