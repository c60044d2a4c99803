// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:37:49Z
// Spec: openspec/specs/values/spec.md#requirement-command-grammar
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package command

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// TestReason reads free text however it was typed.
func TestReason(t *testing.T) {
	t.Parallel()
	const release = "lease release debian-12@vsphere "
	for line, reason := range map[string]string{
		release + "--reason its host is gone":                                        "its host is gone",
		release + "--reason its host is gone --env lab":                              "its host is gone",
		release + "--env lab --reason \"its  host is gone\"":                         "its host is gone",
		release + "--reason=\"its host is gone\" --env lab":                          "its host is gone",
		release + "--reason “its host is gone” --env lab":                            "its host is gone",
		release + "—reason „its host is gone“ —env lab":                              "its host is gone",
		release + "–reason=its host is gone":                                         "its host is gone",
		"lease-release --reason \"see --force\" debian-12@vsphere":                   "see --force",
		"lease release lab/debian-12@vsphere --reason ci-3: it's hung":               "ci-3: it's hung",
		"lease release debian-12 --targets vsphere --reason Zürich (5 h), 100 % weg": "Zürich (5 h), 100 % weg",
	} {
		want := hybridcore.Request{
			Action: hybridcore.ActionFree, Images: []string{"debian-12"}, Platforms: []hybridcore.Platform{hybridcore.VSphere},
			Origin: hybridcore.Origin{Reason: reason},
		}
		if strings.Contains(line, "lab") {
			want.Env = "lab"
		}
		got, err := Parse(line)
		if err != nil {
			t.Errorf("Parse(%q): %v", line, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", line, diff)
		}
	}
}

// TestReasonRefuses takes nothing for text that a shell, a CI system or Slack might read as more.
func TestReasonRefuses(t *testing.T) {
	t.Parallel()
	const release = "lease release debian-12@vsphere "
	for name, one := range map[string][2]string{
		"variable":        {release + "--reason host $CI_JOB_TOKEN", "'$'"},
		"quoted variable": {release + "--reason \"host ${HOME}\"", "'$'"},
		"substitution":    {release + "--reason \"host `id`\"", "'`'"},
		"backslash":       {release + "--reason host \\n", "a backslash"},
		"line break":      {release + "--reason \"host\nbuild b\"", "a line break"},
		"mention":         {release + "--reason <@U0001> knows", "'<'"},
		"ampersand":       {release + "--reason R&amp;D", "'&'"},
		"zero width":      {release + "--reason ho\u200bst", "'\\u200b'"},
		"right to left":   {release + "--reason \u202egone", "'\\u202e'"},
		"open":            {release + "--reason \"host", "has no end"},
		"after the end":   {release + "--reason \"host\"x", "right after a quote"},
		"inside":          {release + "--reason the \"host\"", "'\"'"},
		"elsewhere":       {"build --os \"debian-12\"", "a quote"},
		"no reason":       {release, "say why with --reason"},
		"empty":           {release + "--reason \"\"", "say why with --reason"},
		"long":            {release + "--reason " + strings.Repeat("a", 501), "longer than 500"},
		"no target":       {"lease release --reason x", "name one target"},
		"two targets":     {"lease release a@vsphere b@vsphere --reason x", "name one target"},
		"many platforms":  {"lease release a --targets vsphere,azure --reason x", "name one target"},
		"half a target":   {"lease release debian-12 --reason x", "name one target"},
		"platform":        {"lease release debian-12@vspere --reason x", "did you mean"},
		"two envs":        {"lease release lab/a@vsphere --env prod --reason x", "is not a target of the environment prod"},
		"force":           {release + "--reason x --force", "unknown flag"},
		"of a build":      {"build debian-12 --reason x", "unknown flag: --reason"},
		"alone":           {"lease", "unknown command"},
		"another":         {"lease relaese a@vsphere --reason x", "unknown command"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := Parse(one[0])
			if err == nil || !strings.Contains(err.Error(), one[1]) || hybridcore.ExitCode(err) != hybridcore.ExitUsage {
				t.Errorf("%q: %+v, %v; want a usage error with %q", one[0], r, err, one[1])
			}
		})
	}
}

// TestNearestRelease corrects what is of two words.
func TestNearestRelease(t *testing.T) {
	t.Parallel()
	m := Menu{Prefix: "/ph", Verbs: Verbs(), Own: []Form{{Name: "help"}}}
	for line, want := range map[string]string{
		"lease relase debian-12@vsphere --reason x y": "Try: /ph lease release debian-12@vsphere --reason \"x y\"",
		"lease debian-12@vsphere":                     "Try: /ph lease release TARGET --reason TEXT",
	} {
		if got := m.Nearest(line); !strings.HasPrefix(got, want) {
			t.Errorf("Nearest(%q) is %q, want %q", line, got, want)
		}
	}
}
