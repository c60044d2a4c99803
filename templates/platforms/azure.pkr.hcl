# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:00:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-a-platform-file-adds-one-source
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# Microsoft Azure: one `azure-arm` source for every Linux image. It starts from a Marketplace image: there is no
# installer, so that "identical" is a matter of provisioning, and is measured.

packer {
  required_plugins {
    azure = {
      source  = "github.com/hashicorp/azure"
      version = ">= 2.5.0"
    }
  }
}

# --- Connection: never part of the image ---------------------------------------------------------

variable "azure_subscription_id" {
  type        = string
  description = "Subscription that the image is built in."
}

variable "azure_tenant_id" {
  type        = string
  description = "Tenant of the service principal."
}

variable "azure_client_id" {
  type        = string
  description = "Service principal."
}

variable "azure_client_secret" {
  type        = string
  description = "Secret of the service principal."
  sensitive   = true
}

variable "azure_metadata_host" {
  type        = string
  description = "Address of another cloud's metadata, with its scheme; null is public Azure."
  default     = null
}

variable "azure_cloud_environment_name" {
  type        = string
  description = "Cloud: Public, USGovernment, China, or the name that azure_metadata_host serves."
  default     = "Public"
}

# --- Placement -----------------------------------------------------------------------------------

variable "azure_location" {
  type        = string
  description = "Region of the build."
}

variable "azure_resource_group" {
  type        = string
  description = "Resource group of the managed image."
}

variable "azure_gallery" {
  type        = string
  description = "Compute gallery that receives the image as a version too; an empty name makes the managed image only."
  default     = ""
}

variable "azure_gallery_image" {
  type        = string
  description = "Image definition in azure_gallery."
  default     = ""
}

variable "azure_gallery_version" {
  type        = string
  description = "Version in azure_gallery, for example 2026.11.22. A version is never overwritten."
  default     = ""
}

variable "azure_gallery_regions" {
  type        = list(string)
  description = "Regions that the gallery version is replicated to."
  default     = []
}

# --- The image it starts from, and hardware that only Azure names --------------------------------

variable "azure_image" {
  type        = object({ publisher = string, offer = string, sku = string, version = string })
  description = "Marketplace image that the build starts from."
}

variable "azure_vm_size" {
  type        = string
  description = "Size of the build's virtual machine."
  default     = "Standard_D2s_v5"
}

locals {
  platform = "azure"
  sources  = ["source.azure-arm.linux"]
}

source "azure-arm" "linux" {
  subscription_id        = var.azure_subscription_id
  tenant_id              = var.azure_tenant_id
  client_id              = var.azure_client_id
  client_secret          = var.azure_client_secret
  metadata_host          = var.azure_metadata_host
  cloud_environment_name = var.azure_cloud_environment_name

  # Everything temporary is in one group, which carries the run's name and mark.
  location                 = var.azure_location
  temp_resource_group_name = "ph-${var.run_id}-${var.image}"
  azure_tags = {
    ph_run   = var.run_id
    ph_image = var.image
    artifact = var.artifact_name
  }

  image_publisher = var.azure_image.publisher
  image_offer     = var.azure_image.offer
  image_sku       = var.azure_image.sku
  image_version   = var.azure_image.version
  os_type         = "Linux"
  vm_size         = var.azure_vm_size
  os_disk_size_gb = ceil(var.vm_disk_size_mb / 1024)

  managed_image_name                = var.artifact_name
  managed_image_resource_group_name = var.azure_resource_group

  dynamic "shared_image_gallery_destination" {
    for_each = var.azure_gallery == "" ? [] : [var.azure_gallery]
    content {
      subscription        = var.azure_subscription_id
      resource_group      = var.azure_resource_group
      gallery_name        = shared_image_gallery_destination.value
      image_name          = var.azure_gallery_image
      image_version       = var.azure_gallery_version
      replication_regions = var.azure_gallery_regions
    }
  }

  communicator = "ssh"
  ssh_username = var.build_username
  ssh_port     = var.communicator_port
  ssh_timeout  = var.communicator_timeout
}
