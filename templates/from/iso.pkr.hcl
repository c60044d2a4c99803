# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:44:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-what-a-build-starts-from
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# A build from an installation medium, on every platform that boots one.

variable "iso_storage" {
  type        = string
  description = "Storage of the platform that holds the installation media: a datastore (vSphere) or a storage id (Proxmox)."
}

variable "iso_path" {
  type        = string
  description = "Folder of the installation media on iso_storage."
  default     = "iso"
}

variable "iso_file" {
  type        = string
  description = "File name of the installation medium."
}

variable "boot_wait" {
  type        = string
  description = "Time from power-on until the boot command is typed."
  default     = "10s"
}

variable "boot_keygroup_interval" {
  type        = string
  description = "Pause between groups of typed keys."
  default     = "100ms"
}

variable "boot_command" {
  type        = list(string)
  description = "Keys that start the unattended installation."
}

variable "boot_command_waits" {
  type        = bool
  description = "Keep the <wait...> keys of boot_command. A simulated platform, where no boot loader needs time, sets false."
  default     = true
}

locals {
  # `local.installer` is the description of one unattended installation; each system has its own in templates/os/.
  installer_files = {
    for name in fileset("${path.root}/installers/${var.guest_family}", "*.pkrtpl.hcl") :
    "/${trimsuffix(name, ".pkrtpl.hcl")}" => templatefile("${path.root}/installers/${var.guest_family}/${name}", local.installer)
  }
  boot_command = [
    for keys in var.boot_command : var.boot_command_waits ? keys : regex_replace(keys, "<wait[0-9a-z]*>", "")
  ]
}
