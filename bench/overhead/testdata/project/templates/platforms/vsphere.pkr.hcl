# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T23:30:00Z
# Spec: openspec/specs/runner/spec.md#requirement-small-overhead-over-packer
# Diagram: openspec/specs/runner/diagram.md#stages

packer {
  required_plugins {
    vsphere = {
      source  = "github.com/hashicorp/vsphere"
      version = ">= 1.4.0"
    }
  }
}

variable "vsphere_endpoint" {
  type    = string
  default = ""
}

variable "vsphere_username" {
  type    = string
  default = ""
}

variable "vsphere_password" {
  type      = string
  default   = ""
  sensitive = true
}

variable "vsphere_insecure_connection" {
  type    = bool
  default = false
}

locals {
  sources = ["source.null.linux"]
}

source "null" "linux" {
  communicator = "none"
}
