# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:44:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-one-variable-schema
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# What every platform has to answer, and each in its own way: no part of the recipe.

variable "platform_packages" {
  type        = list(string)
  description = "Packages that only this platform's images carry: its guest agent. The installer brings them, provisioning makes sure."
  default     = []
}
