// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:09:31Z
// Spec: openspec/specs/workflows/spec.md#requirement-nothing-of-an-event-in-a-script
// Diagram: openspec/specs/workflows/diagram.md#jobs-of-the-images

package rules_test

import (
	"strings"
	"testing"

	rules "github.com/packer-hybrid/packer-hybrid/tools/treerules"
)

func TestWorkflows(t *testing.T) {
	t.Parallel()
	const name = ".github/workflows/w.yml"
	const good = `on: [push, pull_request]
permissions: {}
jobs:
  a:
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with: {persist-credentials: false}
      - uses: ./
      - run: |
          echo "$TITLE"
          exec packer-hybrid ci
        env: {TITLE: "${{ github.event.pull_request.title }}"}
`
	with := func(old, now string) map[string]string {
		if !strings.Contains(good, old) {
			t.Fatalf("the example has no %q", old)
		}
		return map[string]string{name: strings.Replace(good, old, now, 1)}
	}
	check(t, rules.Workflows, []planted{
		{"good", map[string]string{name: good, "testdata/action.yml": "run: ${{ x }}\n"}, nil},
		{"an expression in a script", with(`"$TITLE"`, "${{ github.event.pull_request.title }}"), []string{name + ":10: an expression in run"}},
		{"arguments of a container", with("- uses: ./", "- uses: ./\n        with: {args: \"${{ github.head_ref }}\"}"), []string{name + ":10: an expression in args"}},
		{"a list of arguments", map[string]string{"action.yml": "runs:\n  args:\n    - ${{ inputs.command }}\n"}, []string{"action.yml:3: an expression in args"}},
		{"a stranger's event", with("pull_request]", "pull_request_target]"), []string{name + ":1: pull_request_target gives"}},
		{"the same with settings", with("[push, pull_request]", "{workflow_run: {workflows: [a]}}"), []string{name + ":1: workflow_run gives"}},
		{"the same alone", with("[push, pull_request]", "pull_request_target"), []string{name + ":1: pull_request_target gives"}},
		{"permissions for all", with("permissions: {}", "permissions: write-all"), []string{name + ":1: a workflow begins with permissions: {}"}},
		{"no permissions", with("permissions: {}\n", ""), []string{name + ":1: a workflow begins with"}},
		{"a job without", with("    permissions: {contents: read}\n", ""), []string{name + ":4: the job a does not name its permissions"}},
		{"a tag", with("08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "v5"), []string{name + ":7: actions/checkout@v5 is not pinned"}},
		{"no version", with(" # v5.0.0", ""), []string{name + ":7: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 is not pinned"}},
		{"a token that stays", with("persist-credentials: false", "fetch-depth: 0"), []string{name + ":7: the checkout leaves"}},
		{"under a shell", with("exec packer-hybrid", "packer-hybrid"), []string{name + ":10: write exec"}},
		{"no YAML", map[string]string{name: "{"}, []string{name + ": is no YAML document"}},
		{"no jobs", map[string]string{name: "permissions: {}\n"}, []string{name + ":1: has no jobs"}},
	})
}
