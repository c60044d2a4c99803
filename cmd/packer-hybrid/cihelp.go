// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:44:46Z
// Spec: openspec/specs/ci/spec.md#requirement-the-verb-ci
// Diagram: openspec/specs/ci/diagram.md#the-verb

package main

// What the help of ci says.
const (
	ciLong = `Ci runs in a job of GitHub Actions or GitLab CI. It reads the job's event, does
the commands that the block ci of packer-hybrid.hcl has for it, and reports in
the system's own form. The exit code is the worst one of the commands; a report
that fails is said and changes nothing.

A change is planned and validated without Packer, credentials or state, by the
lines of the commit that it is to be merged into. Everything else is done by the
lines of the default branch, for commits that are merged into it: exit 3 for
others. The block ci may name environments in unmerged: a commit is built for
those when another person who may write has approved it, and somebody asks.

The jobs of one run. Those after the first get its decision in
PACKER_HYBRID_DECISION; where that is unset, as on GitLab, a job decides by its
own event:
  --decide           reads the event in a checkout of the default branch, with a
                     token that reads the repository and answers comments; its
                     outputs are what all others go by
  --plan             needs the state, and no platform: the output matrix
  --part             builds PACKER_HYBRID_TARGET with the digest
                     PACKER_HYBRID_DIGEST, with the secrets of one platform
  --collect DIR      needs the state: the record and the reports
  --release PHASE    plan, record: need the state; prepare, mark: on the platform
                     PACKER_HYBRID_PLATFORM, with its secrets
  --next             starts the run for the next environment of a merge
  --reap             removes what dead runs left on PACKER_HYBRID_PLATFORM, with
                     its secrets; with --from DIR reports what such jobs did
  --hold, --report   a change's report, kept by a job without a token and sent by
                     one without a checkout
GitLab has no job that only decides: --plan does, on the default branch or for a
protected tag, and pipeline.yml has the other jobs.

Files: artifacts/plan.json, record.json and parity.json, as far as there are
such answers, and after a publish release.json; on GitHub also findings.sarif,
the step's outputs plan, record, parity, release and sarif have the paths, the
output upload has the folder with these files alone, outside of the checkout, and
after a plan of what is to be built the output matrix has its jobs. On GitLab also
packer-hybrid.env (dotenv: PACKER_HYBRID_PLAN, ...), gl-code-quality-report.json,
after a run or a validation junit.xml, and after such a plan pipeline.yml.

GITHUB_TOKEN, with permission to write checks and pull requests, adds check-runs
and one comment; without it the summary and the annotations stay. For the token
of a GitHub App, PACKER_HYBRID_LOGIN is the login of the app's comments, as
in images[bot]. On GitLab GITLAB_TOKEN, a project access token with the scope api
and the role Developer, for protected branches Maintainer, adds commit statuses
and one note; without it the files stay. GitLab's own CI_JOB_TOKEN can write neither.`

	ciExample = `  # A change, as in .github/workflows/images.yml
  permissions: {contents: read}
  steps:
    - uses: actions/checkout@v4
      with: {fetch-depth: 0, persist-credentials: false}
    - run: exec packer-hybrid ci --hold
      id: images

  # .gitlab-ci.yml
  change:
    script: [packer-hybrid ci --hold]
    variables: {GIT_DEPTH: 0}
    artifacts:
      when: always
      paths: [artifacts/]
      reports:
        codequality: artifacts/gl-code-quality-report.json
        dotenv: artifacts/packer-hybrid.env
        junit: artifacts/junit.xml`
)
