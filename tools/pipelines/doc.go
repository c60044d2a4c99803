// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:44:29Z
// Spec: openspec/specs/repository/spec.md#requirement-whole-pipelines
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

// Package pipelines tests whole pipelines: the repository's workflows and
// pipelines, run by the programs that run them elsewhere, with real builds in
// the lab and loopback servers for GitHub and GitLab. There is nothing to
// import. The tests have the build tag pipelines; make test-ci runs them.
package pipelines
