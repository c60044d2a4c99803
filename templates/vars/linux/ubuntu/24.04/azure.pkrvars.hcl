# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:00:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-differences-are-layers-of-literals
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# Ubuntu 24.04 LTS in the Marketplace.

azure_image = {
  publisher = "Canonical"
  offer     = "ubuntu-24_04-lts"
  sku       = "server"
  version   = "latest"
}
