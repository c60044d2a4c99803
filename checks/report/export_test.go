// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:11:00Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-run-as-a-comment
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package report

// Scenarios are the reports that the golden files hold.
var Scenarios = scenarios
