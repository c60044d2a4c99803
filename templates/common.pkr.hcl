# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:46:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-one-variable-schema
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# What all targets share, whatever their platform and system. The variables are beside this file; the build block of an
# operating system is in templates/os/, and both are staged together with the files of the platform
# (templates/platforms/), which add `local.platform`, `local.sources` and the source block.

packer {
  required_version = ">= 1.10.0"
}

locals {
  # What the manifest of every build says. It is written in clear: no secret may be added.
  manifest = {
    run_id        = var.run_id
    image         = var.image
    platform      = local.platform
    environment   = var.environment
    artifact_name = var.artifact_name
  }
}
