# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:46:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-a-platform-file-adds-one-source
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# VMware vSphere: what both ways to build there share. The sources are in vsphere-iso.pkr.hcl and vsphere-clone.pkr.hcl.

packer {
  required_plugins {
    vsphere = {
      source  = "github.com/hashicorp/vsphere"
      version = ">= 1.4.0"
    }
  }
}

# --- Connection: never part of the image ---------------------------------------------------------

variable "vsphere_endpoint" {
  type        = string
  description = "Host name, and port if it is not 443, of vCenter."
}

variable "vsphere_username" {
  type        = string
  description = "Account in vCenter."
}

variable "vsphere_password" {
  type        = string
  description = "Password of vsphere_username."
  sensitive   = true
}

variable "vsphere_insecure_connection" {
  type        = bool
  description = "Accept any TLS certificate of vCenter."
  default     = false
}

# --- Placement -----------------------------------------------------------------------------------

variable "vsphere_datacenter" {
  type        = string
  description = "Data center that the image is built in."
}

variable "vsphere_cluster" {
  type        = string
  description = "Cluster that runs the build."
}

variable "vsphere_host" {
  type        = string
  description = "ESXi host that runs the build; null leaves the choice to the cluster."
  default     = null
}

variable "vsphere_resource_pool" {
  type        = string
  description = "Resource pool of the build; null takes the cluster's root pool."
  default     = null
}

variable "vsphere_datastore" {
  type        = string
  description = "Datastore of the virtual machine."
}

variable "vsphere_network" {
  type        = string
  description = "Port group that the build is connected to."
}

variable "vsphere_folder" {
  type        = string
  description = "Folder of the template. Missing folders are created."
}

variable "vsphere_content_library" {
  type        = string
  description = "Local content library that receives the image as an OVF item; an empty name makes the template only."
}

# --- Timing --------------------------------------------------------------------------------------

variable "ip_settle_timeout" {
  type        = string
  description = "Time for which the reported address must stay the same."
  default     = "5s"
}

variable "shutdown_timeout" {
  type        = string
  description = "Longest time for the guest to power off."
  default     = "10m"
}

locals {
  platform = "vsphere"
  notes    = "${var.image} for ${var.environment}, run ${var.run_id}, built by packer-hybrid with Packer ${packer.version}"
}
