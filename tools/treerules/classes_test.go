// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:06:18Z
// Spec: openspec/specs/security/spec.md#requirement-what-is-shipped-is-checked
// Diagram: openspec/specs/security/diagram.md#classes-of-jobs

package rules_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	rules "github.com/packer-hybrid/packer-hybrid/tools/treerules"
)

// classed is a workflow with a job of each kind, as the rules want them.
const classed = `on:
  pull_request:
  issue_comment: {types: [created]}
jobs:
  # Words.
  # class: untrusted
  change:
    if: github.event_name == 'pull_request'
    runs-on: [self-hosted, packer-hybrid-ephemeral]
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@1
      - {id: images, run: exec packer-hybrid ci --hold}
      - uses: actions/upload-artifact@1
        with: {path: "${{ steps.images.outputs.upload }}"}
  # class: untrusted
  report:
    if: github.event_name == 'pull_request'
    runs-on: [self-hosted, packer-hybrid-ephemeral]
    permissions: {checks: write, pull-requests: write}
    steps:
      - uses: actions/download-artifact@1
        with: {path: "${{ runner.temp }}/report"}
      - run: exec packer-hybrid ci --report x
        env: {GITHUB_TOKEN: "${{ github.token }}"}
  # class: decide
  decide:
    if: contains(fromJSON('["OWNER", "MEMBER", "COLLABORATOR"]'), github.event.comment.author_association)
    runs-on: [self-hosted, packer-hybrid-decide]
    permissions: {contents: read, pull-requests: write}
    concurrency: {group: "${{ format('{0}-{1}', github.event.issue.number, github.event.comment.user.id) }}"}
    steps:
      - uses: actions/checkout@1
        with: {ref: "${{ github.event.repository.default_branch }}"}
      - run: exec packer-hybrid ci --decide
        env: {GITHUB_TOKEN: "${{ github.token }}"}
  # class: privileged
  plan:
    needs: decide
    runs-on: [self-hosted, packer-hybrid-state]
    environment: packer-hybrid-state
    permissions: {contents: read, checks: write}
    steps:
      - uses: actions/checkout@1
        with: {ref: "${{ needs.decide.outputs.sha }}"}
      - run: exec packer-hybrid ci --plan
        env:
          PACKER_HYBRID_DECISION: ${{ needs.decide.outputs.decision }}
          PACKER_HYBRID_TICKET_KEY: ${{ secrets.PACKER_HYBRID_TICKET_KEY }}
  # class: privileged
  build:
    needs: [decide, plan]
    strategy: {matrix: "${{ fromJSON(needs.plan.outputs.matrix) }}"}
    runs-on: ${{ fromJSON(needs.decide.outputs.runners)[matrix.platform] }}
    environment: ${{ fromJSON(needs.decide.outputs.environments)[matrix.platform] }}
    permissions: {contents: read}
    steps:
      - run: exec packer-hybrid ci --part
        env:
          PACKER_HYBRID_DECISION: ${{ needs.decide.outputs.decision }}
          PACKER_HYBRID_TARGET: ${{ matrix.target }}
          PKR_VAR_build_password: ${{ secrets.PKR_VAR_BUILD_PASSWORD }}
          PKR_VAR_vsphere_password: ${{ matrix.platform == 'vsphere' && secrets.PKR_VAR_VSPHERE_PASSWORD || '' }}
`

func TestClasses(t *testing.T) {
	t.Parallel()
	const name = ".github/workflows/w.yml"
	cases := []planted{{"good", map[string]string{name: classed, "testdata/w.yml": "jobs: {a: {}}\n"}, nil}}
	for _, c := range []struct{ name, old, now, want string }{
		{"no class", "  # class: untrusted\n  change", "  change", "the job change has no class"},
		{"a class that is none", "# class: decide", "# class: trusted", "the job decide has no class"},
		{
			"a secret of a change",
			"run: exec packer-hybrid ci --hold}",
			"run: x, env: {A: \"${{ SECRETS['X'] }}\"}}",
			"a secret in change, whose class is untrusted",
		},
		{
			"its token as a secret",
			"run: exec packer-hybrid ci --decide\n        env: {GITHUB_TOKEN: \"${{ github.token",
			"run: exec packer-hybrid ci --decide\n        env: {GITHUB_TOKEN: \"${{ secrets.GITHUB_TOKEN",
			"a secret in decide, whose class is decide",
		},
		{
			"all secrets",
			"--hold}",
			"--hold, env: {A: \"${{ toJSON(secrets) }}\"}}",
			"a secret in change, whose class is untrusted",
		},
		{
			"secrets of every job",
			"jobs:\n",
			"env: {A: \"${{ secrets.X }}\"}\njobs:\n",
			"a secret in the environment of every job",
		},
		{
			"an environment of a change",
			"    permissions: {contents: read}\n    steps:\n      - uses: actions/checkout@1\n      - {id",
			"    environment: images\n    permissions: {contents: read}\n    steps:\n" +
				"      - uses: actions/checkout@1\n      - {id",
			"an environment, and so its secrets, in change",
		},
		{
			"a token of a change",
			"--hold}",
			"--hold, env: {GITHUB_TOKEN: \"${{ github.token }}\"}}",
			"the job's token in a step of change | the job's token in a step of change",
		},
		{
			"the same in other words",
			"--hold}",
			"--hold, env: {A: \"${{ github['token'] }}\"}}",
			"the job's token in a step of change",
		},
		{
			"the same with all else",
			"--hold}",
			"--hold, env: {A: \"${{ toJSON(github) }}\"}}",
			"the job's token in a step of change",
		},
		{
			"a change that writes",
			"permissions: {contents: read}\n    steps:\n      - uses: actions/checkout@1\n      - {id",
			"permissions: {contents: read, checks: write}\n    steps:\n      - uses: actions/checkout@1\n      - {id",
			"change has the right checks: write",
		},
		{
			"a report that writes more",
			"{checks: write, pull-requests: write}",
			"{checks: write, contents: write}",
			"report has the right contents: write",
		},
		{
			"an issue of a job that looks at nothing",
			"permissions: {contents: read, checks: write}",
			"permissions: {contents: read, checks: write, issues: write}",
			"plan has the right issues: write",
		},
		{
			"a runner of others",
			"    runs-on: [self-hosted, packer-hybrid-ephemeral]\n    permissions: {contents: read}",
			"    runs-on: [self-hosted, packer-hybrid-state]\n    permissions: {contents: read}",
			"change runs on",
		},
		{
			"any runner of ours",
			"    runs-on: [self-hosted, packer-hybrid-ephemeral]\n    permissions: {contents: read}",
			"    runs-on: self-hosted\n    permissions: {contents: read}",
			"change runs on",
		},
		{
			"a token that starts runs",
			"  # class: privileged\n  plan:",
			"  # class: privileged\n  next:\n    needs: [decide, plan]\n    runs-on: [self-hosted, packer-hybrid-state]\n" +
				"    environment: \"${{ needs.decide.outputs.next }}\"\n    permissions: {actions: write}\n    steps:\n" +
				"      - run: exec packer-hybrid ci --plan\n" +
				"        env: {PACKER_HYBRID_DECISION: \"${{ needs.decide.outputs.decision }}\"}\n" +
				"  # class: privileged\n  plan:",
			"next has a token that may start a run, and does something else",
		},
		{
			"changes, or anything else",
			"    if: github.event_name == 'pull_request'\n    runs-on: [self-hosted, packer-hybrid-ephemeral]\n" +
				"    permissions: {contents: read}",
			"    if: contains(fromJSON('[\"pull_request\", \"merge_group\"]'), github.event_name) || github.actor\n" +
				"    concurrency: {group: \"${{ github.event.issue.number }}-${{ github.event.comment.user.id }}\"}\n" +
				"    runs-on: [self-hosted, packer-hybrid-ephemeral]\n    permissions: {contents: read}",
			"anybody's comment starts change",
		},
		{
			"a checkout of the change",
			"{ref: \"${{ github.event.repository.default_branch }}\"}",
			"{ref: \"${{ github.event.pull_request.head.sha }}\"}",
			"the checkout of decide is not",
		},
		{
			"a checkout of what started it",
			"\n        with: {ref: \"${{ github.event.repository.default_branch }}\"}",
			"",
			"the checkout of decide is not",
		},
		{
			"another repository",
			"{ref: \"${{ github.event.repository.default_branch }}\"}",
			"{ref: \"${{ github.event.repository.default_branch }}\", repository: a/b}",
			"decide checks out another repository",
		},
		{
			"decided by what another job says",
			"  decide:\n",
			"  decide:\n    needs: change\n",
			"decide decides by what another job says",
		},
		{
			"anybody's comment",
			"contains(fromJSON('[\"OWNER\", \"MEMBER\", \"COLLABORATOR\"]'), github.event.comment.author_association)",
			"github.event_name == 'issue_comment'",
			"anybody's comment starts decide",
		},
		{
			"a group for all authors",
			", github.event.comment.user.id",
			"",
			"decide has no concurrency group for each change and author",
		},
		{
			"a job beside the decision",
			"    needs: decide\n    runs-on: [self-hosted, packer-hybrid-state]",
			"    runs-on: [self-hosted, packer-hybrid-state]",
			"plan does not need the job decide | anybody's comment starts plan | plan has no concurrency group",
		},
		{
			"another commit",
			"${{ needs.decide.outputs.sha }}",
			"${{ inputs.sha || github.sha }}",
			"the checkout of plan is not",
		},
		{
			"no decision",
			"ci --plan\n        env:\n          PACKER_HYBRID_DECISION: ${{ needs.decide.outputs.decision }}\n",
			"ci --plan\n        env:\n",
			"PACKER_HYBRID_DECISION of plan is not",
		},
		{
			"the key of tickets near a platform",
			"PKR_VAR_build_password: ${{ secrets.PKR_VAR_BUILD_PASSWORD }}",
			"A: ${{ secrets.PACKER_HYBRID_TICKET_KEY }}",
			"build has the key of the bot's tickets",
		},
		{
			"a platform's secret with the state",
			"PACKER_HYBRID_TICKET_KEY: ${{ secrets.PACKER_HYBRID_TICKET_KEY }}",
			"A: ${{ secrets.PKR_VAR_BUILD_PASSWORD }}",
			"plan has the state, and a secret of platforms",
		},
		{
			"another environment with the state",
			"environment: packer-hybrid-state",
			"environment: prod-vsphere",
			"plan has the key of the bot's tickets | plan has the key of the bot's tickets | the runner of plan is not | " +
				"the environment of plan is not | the matrix of plan is neither",
		},
		{
			"before the ticket is verified",
			"needs: [decide, plan]",
			"needs: [decide]",
			"build does not wait for the job plan",
		},
		{
			"a runner of the plan",
			"${{ fromJSON(needs.decide.outputs.runners)[matrix.platform] }}",
			"${{ matrix.runs_on }}",
			"the runner of build is not",
		},
		{
			"an environment of the plan",
			"${{ fromJSON(needs.decide.outputs.environments)[matrix.platform] }}",
			"${{ matrix.environment }}",
			"the environment of build is not",
		},
		{
			"no environment",
			"    environment: ${{ fromJSON(needs.decide.outputs.environments)[matrix.platform] }}\n",
			"",
			"the environment of build is not | build has a secret and no environment | build has a secret and no environment",
		},
		{
			"an environment of all",
			"${{ fromJSON(needs.decide.outputs.environments)[matrix.platform] }}",
			"images",
			"the environment of build is not",
		},
		{
			"a matrix of its own",
			"${{ fromJSON(needs.plan.outputs.matrix) }}",
			"${{ fromJSON(inputs.matrix) }}",
			"the matrix of build is neither",
		},
		{
			"a command of the plan",
			"PACKER_HYBRID_TARGET: ${{ matrix.target }}",
			"PACKER_HYBRID_TARGET: ${{ matrix.command }}",
			"build takes PACKER_HYBRID_TARGET from the plan",
		},
		{
			"a command of its own",
			"PACKER_HYBRID_TARGET: ${{ matrix.target }}",
			"INPUT_COMMAND: build",
			"build has a command of its own",
		},
		{
			"a command of the event",
			"PACKER_HYBRID_TARGET: ${{ matrix.target }}",
			"A: ${{ inputs.command }}",
			"build takes A from the event",
		},
		{
			"a secret of another platform",
			"matrix.platform == 'vsphere' &&",
			"matrix.platform == 'azure' &&",
			"build has a secret in another form",
		},
		{
			"secrets of all platforms",
			"${{ matrix.platform == 'vsphere' && secrets.PKR_VAR_VSPHERE_PASSWORD || '' }}",
			"${{ secrets.PKR_VAR_VSPHERE_PASSWORD }}",
			"build has a secret in another form",
		},
		{
			"a secret of every step",
			"    permissions: {contents: read}\n    steps:\n      - run: exec packer-hybrid ci --part",
			"    env: {A: \"${{ secrets.PKR_VAR_BUILD_PASSWORD }}\"}\n    permissions: {contents: read}\n" +
				"    steps:\n      - run: exec packer-hybrid ci --part",
			"a secret in the environment of all steps of build",
		},
		{
			"a secret in a script",
			"exec packer-hybrid ci --part",
			"echo ${{ secrets.PKR_VAR_BUILD_PASSWORD }}",
			"build gives a secret to something else",
		},
		{
			"rights of a build",
			"    permissions: {contents: read}\n    steps:\n      - run: exec packer-hybrid ci --part",
			"    permissions: {contents: write}\n    steps:\n      - run: exec packer-hybrid ci --part",
			"build has the right contents: write",
		},
		{
			"after a change",
			"needs: [decide, plan]",
			"needs: [decide, plan, change]",
			"build needs change, which reads what nobody has reviewed",
		},
		{
			"a folder of the checkout",
			"${{ steps.images.outputs.upload }}",
			"artifacts/",
			"uploads another folder",
		},
		{"into the checkout", "${{ runner.temp }}/report", "parts", "downloads into the checkout"},
		{
			"somebody else's jobs",
			"  plan:\n",
			"  plan:\n    uses: a/b/.github/workflows/c.yml@1\n",
			"plan is a workflow of somebody else",
		},
	} {
		if strings.Count(classed, c.old) < 1 {
			t.Fatalf("%s: the example has no %q", c.name, c.old)
		}
		files := map[string]string{name: strings.Replace(classed, c.old, c.now, 1)}
		cases = append(cases, planted{c.name, files, wants(name, c.want)})
	}
	check(t, unlined(rules.Classes), cases)
}

// piped is a pipeline with a job of each kind, as the rules want them.
const piped = `stages: [plan]
.base:
  variables: {GIT_DEPTH: "0"}
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
    - if: $CI_COMMIT_TAG && $CI_COMMIT_REF_PROTECTED == "true"
# class: untrusted
change:
  tags: [packer-hybrid-ephemeral]
  script: [packer-hybrid ci --hold]
# class: untrusted
report:
  tags: [packer-hybrid-ephemeral]
  environment: {name: reports, action: access}
  variables: {GIT_STRATEGY: none}
  script: ['test -n "${GITLAB_TOKEN:-}" && packer-hybrid ci --report x']
# class: decide
decide:
  extends: .base
  tags: [packer-hybrid-decide]
  script: [packer-hybrid ci --decide]
# class: privileged
images:
  extends: .base
  trigger: {forward: {yaml_variables: false, pipeline_variables: false}}
`

func TestPipelines(t *testing.T) {
	t.Parallel()
	const name = ".gitlab-ci.yml"
	cases := []planted{{"good", map[string]string{name: piped, ".gitlab/x.yml": "default: {tags: [a]}\n"}, nil}}
	for _, c := range []struct{ name, old, now, want string }{
		{"no class", "# class: untrusted\nchange", "change", "the job change has no class"},
		{
			"credentials in a file",
			"[packer-hybrid ci --hold]",
			"[echo $PKR_VAR_x]",
			"change names a credential or the state",
		},
		{
			"the state",
			"[packer-hybrid ci --hold]",
			"[x]\n  variables: {PACKER_HYBRID_STATE: /x}",
			"change names a credential or the state",
		},
		{"a token of a change", "[packer-hybrid ci --hold]", "['echo $GITLAB_TOKEN']", "the token in change"},
		{"a runner of others", "tags: [packer-hybrid-decide]", "tags: [packer-hybrid-state]", "decide runs on"},
		{"any runner", "  tags: [packer-hybrid-decide]\n", "", "decide runs on"},
		{
			"an environment of all",
			"script: [packer-hybrid ci --decide]", "environment: {name: images}\n  script: [x]",
			"decide has the credentials of the environment \"images\"",
		},
		{
			"an environment of a change",
			"script: [packer-hybrid ci --hold]",
			"environment: reports\n  script: [x]",
			"change has the credentials",
		},
		{
			"a report that checks out",
			"  variables: {GIT_STRATEGY: none}\n",
			"",
			"report has the credentials | the token in report",
		},
		{
			"any branch",
			"    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n",
			"    - if: $CI_COMMIT_BRANCH\n",
			"decide runs where anybody | images runs where",
		},
		{
			"any tag",
			` && $CI_COMMIT_REF_PROTECTED == "true"`,
			"",
			"decide runs where anybody | images runs where",
		},
		{"any event", "  extends: .base\n  tags", "  tags", "decide runs for every event"},
		{"variables for the child", "yaml_variables: false, ", "", "images passes variables on to its child"},
		{
			"an environment of every job",
			"stages: [plan]",
			"default: {environment: images}",
			"a credential for every job",
		},
	} {
		if strings.Count(piped, c.old) < 1 {
			t.Fatalf("%s: the example has no %q", c.name, c.old)
		}
		files := map[string]string{name: strings.Replace(piped, c.old, c.now, 1)}
		cases = append(cases, planted{c.name, files, wants(name, c.want)})
	}
	check(t, unlined(rules.Pipelines), cases)
}

// TestJobs: the table in SECURITY.md is that of the files.
func TestJobs(t *testing.T) {
	t.Parallel()
	files := map[string]string{".github/workflows/w.yml": classed, ".gitlab-ci.yml": piped}
	tree := func() *rules.Tree {
		tree, err := rules.FromMap(files)
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	const heading = "## Jobs and secrets\n\n"
	table := rules.JobsTable(tree())
	const build = "| `w.yml` build | privileged | of its platform | contents: read | " +
		"`PKR_VAR_BUILD_PASSWORD`, of one platform `PKR_VAR_VSPHERE_PASSWORD` |\n"
	for _, row := range []string{
		"| `w.yml` change | untrusted | `packer-hybrid-ephemeral` | contents: read | none |\n", build,
		"| `.gitlab-ci.yml` report | untrusted | `packer-hybrid-ephemeral` | `GITLAB_TOKEN` | none |\n",
		"| `.gitlab-ci.yml` images | privileged | of each platform | none | " +
			"each job: those of its environment, `ENV/PLATFORM` or `packer-hybrid-state` |\n",
	} {
		if !strings.Contains(table, row) {
			t.Errorf("no row %s in\n%s", row, table)
		}
	}
	for _, c := range []struct {
		security string
		want     []string
	}{
		{"# Security\n\n" + heading + strings.ReplaceAll(table, " | ", "   |  ") + "\n## More\n\n| a | b |\n", nil},
		{heading + strings.Replace(table, build, "", 1), []string{"lacks the row " + strings.TrimSpace(build)}},
		{heading + strings.Replace(table, "contents: read | none |", "contents: read | all |", 1), []string{
			"lacks the row | `w.yml` change", "no job is as this row says: | `w.yml` change",
		}},
		{"## Jobs\n\n" + table, nil},
	} {
		files["SECURITY.md"] = c.security
		problems := rules.Jobs(tree())
		if c.security[:8] == "## Jobs\n" { // under another heading there is no table
			if len(problems) != 9 {
				t.Errorf("the problems are %v", problems)
			}
			continue
		}
		for i, p := range problems {
			if i >= len(c.want) || !strings.Contains(p.Text, c.want[i]) {
				t.Errorf("unexpected problem: %s", p)
			}
		}
		if len(problems) < len(c.want) {
			t.Errorf("found %v, not all of %v", problems, c.want)
		}
	}
}

// unlined is a rule whose problems come without their lines, which say nothing of
// what is tested here.
func unlined(rule func(*rules.Tree) []rules.Problem) func(*rules.Tree) []rules.Problem {
	return func(tree *rules.Tree) []rules.Problem {
		problems := rule(tree)
		for i := range problems {
			problems[i] = rules.Problem{Path: problems[i].Path + ":*" + problems[i].Text}
		}
		return problems
	}
}

// wants are problems of a file, as they stand in one text.
func wants(file, text string) []string {
	var all []string
	for one := range strings.SplitSeq(text, " | ") {
		all = append(all, file+":*"+one)
	}
	return all
}

// TestFormerFiles: what the files were before they had classes is found.
func TestFormerFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, as string
		rule     func(*rules.Tree) []rules.Problem
		want     []string
	}{
		{"former.yml", ".github/workflows/images.yml", rules.Classes, []string{
			"the job other has no class", "anybody's comment starts other",
			"uploads another folder than the fresh one", "downloads into the checkout",
		}},
		{"former-gitlab.yml", ".gitlab-ci.yml", rules.Pipelines, []string{
			"the job command has no class", "the job release has no class",
		}},
	} {
		text, err := os.ReadFile("testdata/" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, classified := range []bool{false, true} {
			source, want := string(text), c.want
			if classified { // as somebody would who only wants the rule to be quiet
				source = strings.NewReplacer(
					"\n  other:", "\n  # class: privileged\n  other:", "\ncommand:", "\n# class: privileged\ncommand:",
				).Replace(source)
				want = []string{"the environment of other is not", "a secret in the environment of all steps of other"}
				if c.as == ".gitlab-ci.yml" {
					want = []string{"command has the credentials of the environment", "command runs where anybody may push"}
				}
			}
			tree, err := rules.FromMap(map[string]string{c.as: source})
			if err != nil {
				t.Fatal(err)
			}
			problems := c.rule(tree)
			for _, text := range want {
				if !slices.ContainsFunc(problems, func(p rules.Problem) bool { return strings.Contains(p.Text, text) }) {
					t.Errorf("%s: not found: %s; found are %v", c.file, text, problems)
				}
			}
		}
	}
}
