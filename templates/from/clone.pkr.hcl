# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:44:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-what-a-build-starts-from
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# A build from a template that the platform has already. It keeps its template's disk, firmware and file systems:
# "identical" is a matter of provisioning then, and is measured.

variable "clone_from" {
  type        = string
  description = "Template that is cloned: its name, on vSphere also its inventory path (golden/debian-12-base), on Proxmox VE also its number (9000)."
  validation {
    condition     = can(regex("^[^[:cntrl:]]{1,255}$", var.clone_from))
    error_message = "The clone_from must name a template with 1 to 255 characters."
  }
}
