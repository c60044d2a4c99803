# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:14:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-one-description-of-the-installation
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# The unattended installation of every Linux image, on every platform that boots a medium.

variable "install_disk_device" {
  type        = string
  description = "Kernel name of the system disk in the installer, without /dev/."
  default     = "sda"
}

variable "install_disks" {
  type = object({
    volume_group = string
    partitions   = list(object({ name = string, mount = string, filesystem = string, size_mb = number }))
    volumes      = list(object({ name = string, mount = string, filesystem = string, size_mb = number }))
  })
  description = "Layout of the system disk: the boot partition, then one LVM volume group over the rest. The firmware's own partition is added by the installer template. A size of -1 takes what is left."
  validation {
    condition = (
      length([for v in var.install_disks.volumes : v if v.mount == "/"]) == 1 &&
      length([for v in var.install_disks.volumes : v if v.size_mb == -1]) == 1
    )
    error_message = "The install_disks need exactly one volume mounted at / and exactly one volume with size_mb = -1."
  }
}

variable "install_network" {
  type        = object({ device = string, dhcp = bool, address = string, prefix = number, netmask = string, gateway = string, dns = list(string) })
  description = "Network of the installation. With dhcp the addresses are ignored; an empty device takes the first one with a link."
  validation {
    condition     = var.install_network.dhcp || (var.install_network.address != "" && var.install_network.gateway != "" && var.install_network.device != "")
    error_message = "An install_network without dhcp needs device, address, prefix, netmask and gateway."
  }
}

variable "install_mirror" {
  type        = object({ host = string, directory = string, proxy = string })
  description = "Package mirror of the installation (HTTP) and the proxy to reach it; an empty proxy goes direct."
}

variable "install_packages" {
  type        = list(string)
  description = "Packages that the installer itself must install so that provisioning can begin."
}

locals {
  # The whole description of one unattended installation: every template below installers/<family>/ sees these names.
  installer = {
    username           = var.build_username
    password           = var.build_password_encrypted == "" ? var.build_password : ""
    password_encrypted = var.build_password_encrypted
    hostname           = var.guest_hostname
    locale             = var.guest_locale
    keyboard           = var.guest_keyboard
    timezone           = var.guest_timezone
    firmware           = var.vm_firmware
    device             = "/dev/${var.install_disk_device}"
    disks              = var.install_disks
    network            = var.install_network
    mirror             = var.install_mirror
    packages           = sort(distinct(concat(var.install_packages, var.platform_packages)))
  }
}
