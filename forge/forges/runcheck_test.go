// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:45:32Z
// Spec: openspec/specs/bot/spec.md#requirement-check-before-the-first-command
// Diagram: openspec/specs/bot/diagram.md#a-check

package forges_test

import (
	"cmp"
	"os"
	"strings"
	"testing"

	gh "github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/gitlab"
)

// same compares problems: each has to hold its text, in order.
func same(t *testing.T, got, want []string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := range want {
		ok = ok && strings.Contains(got[i], want[i])
	}
	if !ok {
		t.Errorf("the problems are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if all := strings.Join(got, "\n"); strings.Contains(all, token) || strings.Contains(all, "trying again") {
		t.Errorf("the token is shown, or something is promised: %q", got)
	}
}

// ours is a file of this repository.
func ours(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestGitHubCheck(t *testing.T) {
	t.Parallel()
	text := ours(t, ".github/workflows/images.yml")
	with := func(old, now string) func(*github.Config) {
		if !strings.Contains(text, old) {
			t.Fatalf("images.yml lacks %q", old)
		}
		changed := strings.ReplaceAll(text, old, now)
		return func(c *github.Config) { c.Workflows["images.yml"] = github.Workflow{Text: changed} }
	}
	for name, c := range map[string]struct {
		change func(*github.Config)
		faults string
		token  string
		ref    string
		want   []string
	}{
		"all is right": {},
		"token":        {token: "ghs_other", want: []string{"asking GitHub for the repository o/r: GET"}},
		"repository": {change: func(c *github.Config) { c.Repository = "o/s" }, want: []string{
			"asking GitHub for the repository o/r: ",
		}},
		"archived": {change: func(c *github.Config) { c.Archived = true }, want: []string{"the repository o/r is archived"}},
		"branch":   {ref: "develop", want: []string{"asking GitHub for the branch develop: "}},
		"no workflow": {change: func(c *github.Config) { c.Workflows = map[string]github.Workflow{} }, want: []string{
			"asking GitHub for .github/workflows/images.yml on main: ", "asking GitHub for the workflow images.yml: ",
		}},
		"switched off": {change: func(c *github.Config) {
			c.Workflows["images.yml"] = github.Workflow{
				Text: text,
				Off:  true,
			}
		}, want: []string{
			"the workflow images.yml is switched off (disabled_manually): switch it on on the page Actions, or with gh " +
				"workflow enable images.yml",
		}},
		"no event": {change: with("workflow_dispatch:", "workflow_call:"), want: []string{
			".github/workflows/images.yml on main has no workflow_dispatch below on: the bot cannot start it",
		}},
		"only the event": {change: func(c *github.Config) {
			c.Workflows["images.yml"] = github.Workflow{Text: "on: [push, workflow_dispatch]\nrun-name: images ${{ " +
				"inputs.request_id }}\n"}
		}, want: []string{"no input command", "no input sha", "no input request_id", "no input ticket"}},
		"no ticket": {
			change: with("      ticket: {", "      tocket: {"),
			want:   []string{"workflow_dispatch has no input ticket; GitHub refuses runs"},
		},
		"run-name": {
			change: with("run-name: ", "x-name: "),
			want:   []string{"run-name lacks ${{ inputs.request_id }}, by which the bot finds its run"},
		},
		"no YAML": {change: with("workflow_dispatch:", "\tworkflow_dispatch:"), want: []string{"cannot be read: yaml: "}},
		"may not start": {change: func(c *github.Config) { c.Denied = []string{"actions"} }, want: []string{
			"asking GitHub for the permission to start images.yml: ",
		}},
		"may not read": {
			change: func(c *github.Config) { c.Denied = []string{"contents:read", "checks:read"} },
			want: []string{
				"give the bot's token the permission checks: read", "or give the bot's token the permission contents: read",
			},
		},
		"limit": {
			faults: `GET /repos/o/r status=403 header="Retry-After: 30"`,
			want:   []string{"exceeded a secondary rate limit"},
		},
		"502": {faults: "GET /repos/o/r status=502", want: []string{"asking GitHub for the repository o/r: "}},
		"hangs": {
			faults: "GET /repos/o/r delay=1m",
			want:   []string{"asking GitHub for the repository o/r: context deadline exceeded"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := hub(t, c.faults, func(g *github.Config) {
				g.Workflows = map[string]github.Workflow{"images.yml": {Text: text}}
				if c.change != nil {
					c.change(g)
				}
			})
			g := onGitHub(t, s, func(g *gh.RunsConfig) {
				g.Token = cmp.Or(c.token, g.Token)
			})
			same(t, g.Check(t.Context(), cmp.Or(c.ref, "main")), c.want)
			if runs := s.Runs(); len(runs) > 0 {
				t.Errorf("the check started %v", runs)
			}
		})
	}
}

func TestGitLabCheck(t *testing.T) {
	t.Parallel()
	text := ours(t, ".gitlab-ci.yml")
	for name, c := range map[string]struct {
		change  func(*gitlab.Config)
		trigger string
		ref     string
		want    []string
	}{
		"all is right": {},
		"token": {
			change: func(c *gitlab.Config) { c.Token = "glpat-other" },
			want:   []string{"asking GitLab for the scopes of the bot's token: "},
		},
		"scopes": {change: func(c *gitlab.Config) { c.Scopes = []string{"read_api", "read_repository"} }, want: []string{
			"the bot's token has the scopes read_api, read_repository, without api",
		}},
		"project": {change: func(c *gitlab.Config) { c.Project = "acme/other" }, want: []string{
			"asking GitLab for the project acme/images: ",
		}},
		"archived": {
			change: func(c *gitlab.Config) { c.Archived = true },
			want:   []string{"the project acme/images is archived"},
		},
		"branch": {ref: "develop", want: []string{"asking GitLab for the branch develop: "}},
		"protected": {change: func(c *gitlab.Config) { c.Protected = []string{"main"} }, want: []string{
			"the branch main is protected, and the bot's token may neither push nor merge there",
		}},
		"protected, by a trigger": {trigger: "trigger", change: func(c *gitlab.Config) { c.Protected = []string{"main"} }},
		"protected, a maintainer": {change: func(c *gitlab.Config) {
			c.Protected, c.Self.Level = []string{"main"},
				gitlab.Maintainer
		}},
		"a reporter": {change: func(c *gitlab.Config) { c.Self.Level = gitlab.Reporter }, want: []string{
			"give the bot's token the role Developer",
		}},
		"no pipeline": {
			change: func(c *gitlab.Config) { c.Pipeline = "" },
			want:   []string{"the pipeline of main is not valid: Please provide content of .gitlab-ci.yml; docs/gitlab.md"},
		},
		"no YAML": {
			change: func(c *gitlab.Config) { c.Pipeline = "a:\n\t- b" },
			want:   []string{"the pipeline of main is not valid: Invalid configuration format"},
		},
		"another one": {
			change: func(c *gitlab.Config) { c.Pipeline = "test:\n  script: make test\n" },
			want:   []string{"the pipeline of main has no variable PACKER_HYBRID_COMMAND"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, g := lab(t, "", c.trigger, func(l *gitlab.Config) {
				l.Pipeline = text
				if c.change != nil {
					c.change(l)
				}
			})
			same(t, g.Check(t.Context(), cmp.Or(c.ref, "main")), c.want)
			if made := s.Pipelines(); len(made) > 0 {
				t.Errorf("the check made %v", made)
			}
		})
	}
}
