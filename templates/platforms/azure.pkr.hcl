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
  description = "Resource group of the managed image, and of the gallery."
}

variable "azure_managed_image" {
  type        = bool
  description = "Make a managed image. False makes a version in azure_gallery only."
  default     = true
}

variable "azure_gallery" {
  type        = string
  description = "Compute gallery that receives the image as a version; an empty name makes a managed image only."
  default     = ""
  validation {
    condition     = can(regex("^([A-Za-z0-9]([A-Za-z0-9_.]{0,78}[A-Za-z0-9])?)?$", var.azure_gallery))
    error_message = "The azure_gallery must have 1 to 80 letters, digits, underscores and periods, and begin and end with a letter or digit: Azure allows no hyphen here."
  }
}

variable "azure_gallery_image" {
  type        = string
  description = "Image definition in azure_gallery, which has to exist; an empty name takes that of the image."
  default     = ""
  validation {
    condition     = can(regex("^([A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9])?)?$", var.azure_gallery_image))
    error_message = "The azure_gallery_image must have 1 to 80 letters, digits, underscores, hyphens and periods, and begin and end with a letter or digit."
  }
}

variable "azure_gallery_version" {
  type        = string
  description = "Version in azure_gallery, for example 1.20261122.1; an empty one is made of the run's time. A version is never overwritten."
  default     = ""
  validation {
    condition     = can(regex("^([0-9]{1,10}\\.[0-9]{1,10}\\.[0-9]{1,10})?$", var.azure_gallery_version))
    error_message = "The azure_gallery_version must be three whole numbers, MAJOR.MINOR.PATCH, each at most 2147483647."
  }
}

variable "azure_gallery_regions" {
  type        = list(object({ name = string, replicas = number }))
  description = "Regions that keep the version, with the number of copies in each (1 to 100); azure_location has to be one of them. With none it is the only one."
  default     = []
  validation {
    condition     = alltrue([for r in var.azure_gallery_regions : r.replicas >= 1 && r.replicas <= 100 && r.replicas == floor(r.replicas)])
    error_message = "The replicas in azure_gallery_regions must be whole numbers from 1 to 100."
  }
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

  # A run's time is its identifier's: 20261122t093005-... is the version 2026.1122.93005.
  gallery_version = var.azure_gallery_version != "" ? var.azure_gallery_version : format("%s.%d.%d",
    substr(var.run_id, 0, 4), parseint(substr(var.run_id, 4, 4), 10), parseint(substr(var.run_id, 9, 6), 10)
  )
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

  managed_image_name                = var.azure_managed_image ? var.artifact_name : null
  managed_image_resource_group_name = var.azure_managed_image ? var.azure_resource_group : null

  dynamic "shared_image_gallery_destination" {
    for_each = var.azure_gallery == "" ? [] : [var.azure_gallery]
    content {
      subscription   = var.azure_subscription_id
      resource_group = var.azure_resource_group
      gallery_name   = shared_image_gallery_destination.value
      image_name     = var.azure_gallery_image == "" ? var.image : var.azure_gallery_image
      image_version  = local.gallery_version

      dynamic "target_region" {
        for_each = var.azure_gallery_regions
        content {
          name     = target_region.value.name
          replicas = target_region.value.replicas
        }
      }
    }
  }

  communicator = "ssh"
  ssh_username = var.build_username
  ssh_port     = var.communicator_port
  ssh_timeout  = var.communicator_timeout
}
