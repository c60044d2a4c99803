# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T23:20:00Z
# Spec: openspec/specs/runner/spec.md#requirement-execute-each-target-on-its-own
# Diagram: openspec/specs/runner/diagram.md#stages

echo hello
