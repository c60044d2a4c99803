# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T00:56:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-a-platform-file-adds-one-source
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# Proxmox VE: what both ways to build there share. The sources are in proxmox-iso.pkr.hcl and proxmox-clone.pkr.hcl.

packer {
  required_plugins {
    proxmox = {
      source  = "github.com/hashicorp/proxmox"
      version = ">= 1.2.3"
    }
  }
}

# --- Connection: never part of the image ---------------------------------------------------------

variable "proxmox_url" {
  type        = string
  description = "Address of the API, for example https://pve.example.com:8006/api2/json."
}

variable "proxmox_username" {
  type        = string
  description = "Token id, for example packer@pve!build."
}

variable "proxmox_token" {
  type        = string
  description = "Secret of the token."
  sensitive   = true
}

variable "proxmox_insecure_connection" {
  type        = bool
  description = "Accept any TLS certificate of Proxmox VE."
  default     = false
}

variable "proxmox_ssh_proxy_host" {
  type        = string
  description = "SOCKS proxy on the way to the guest; null goes direct."
  default     = null
}

variable "proxmox_ssh_proxy_port" {
  type        = number
  description = "Port of proxmox_ssh_proxy_host."
  default     = null
}

# --- Placement -----------------------------------------------------------------------------------

variable "proxmox_node" {
  type        = string
  description = "Node that runs the build."
}

variable "proxmox_pool" {
  type        = string
  description = "Resource pool of the template; null for none."
  default     = null
}

variable "proxmox_storage" {
  type        = string
  description = "Storage of the disks, for example local-lvm."
}

variable "proxmox_bridge" {
  type        = string
  description = "Bridge that the build is connected to."
  default     = "vmbr0"
}

variable "proxmox_vlan_tag" {
  type        = string
  description = "VLAN of the build on the bridge; an empty text is untagged."
  default     = ""
}

# --- Hardware that only Proxmox VE names ---------------------------------------------------------

variable "vm_guest_os_type" {
  type        = string
  description = "Proxmox operating system type: l26 is Linux 2.6 and newer."
  default     = "l26"
}

variable "vm_cpu_type" {
  type        = string
  description = "Emulated processor. Enterprise Linux 9 needs x86-64-v2-AES, 10 needs x86-64-v3."
  default     = "x86-64-v2-AES"
}

variable "vm_scsi_controller" {
  type        = string
  description = "SCSI controller of the disks."
  default     = "virtio-scsi-pci"
}

variable "vm_network_card" {
  type        = string
  description = "Type of the network adapter."
  default     = "virtio"
}

locals {
  platform = "proxmox"
  notes    = "${var.image} for ${var.environment}, run ${var.run_id}, built by packer-hybrid with Packer ${packer.version}"
}
