# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:00:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-an-environment-is-a-folder
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# The simulated Azure.

azure_location       = "westeurope"
azure_resource_group = "golden-images"
