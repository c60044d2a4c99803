# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:44:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-what-a-build-starts-from
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# The choice of a platform that can build in more than one way. packer-hybrid reads it before Packer runs and
# stages the files of that one way: from/<build_from>.pkr.hcl and platforms/<platform>-<build_from>.pkr.hcl.

variable "build_from" {
  type        = string
  description = "What a build starts from: iso (an installation medium) or clone (a template of the platform, named by clone_from)."
  default     = "iso"
  validation {
    condition     = contains(["iso", "clone"], var.build_from)
    error_message = "The build_from must be iso or clone."
  }
}
