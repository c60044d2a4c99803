# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:49:03Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-one-description-of-the-installation
# Diagram: openspec/specs/image-recipes/diagram.md#from-one-description-to-an-installed-system

instance-id: packer-hybrid-build
local-hostname: ${hostname}
