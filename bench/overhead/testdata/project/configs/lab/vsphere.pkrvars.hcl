# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T23:30:00Z
# Spec: openspec/specs/runner/spec.md#requirement-small-overhead-over-packer
# Diagram: openspec/specs/runner/diagram.md#stages

