# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:00:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-differences-are-layers-of-literals
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# Every Linux image on Azure.

platform_packages = ["waagent"]
