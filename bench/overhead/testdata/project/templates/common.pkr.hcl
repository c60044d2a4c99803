# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T23:30:00Z
# Spec: openspec/specs/runner/spec.md#requirement-small-overhead-over-packer
# Diagram: openspec/specs/runner/diagram.md#stages

packer {
  required_plugins {
    ansible = {
      source  = "github.com/hashicorp/ansible"
      version = ">= 1.1.2"
    }
  }
}

variable "run_id" {
  type = string
}

variable "image" {
  type = string
}

variable "artifact_name" {
  type = string
}

variable "manifest_path" {
  type = string
}

variable "inventory_path" {
  type = string
}

variable "register" {
  type        = string
  description = "Address at which the artifact's name is registered in the simulated vCenter."
}

variable "build_password" {
  type      = string
  sensitive = true
}

build {
  sources = local.sources

  provisioner "shell-local" {
    inline = [
      "curl -fsS '${var.register}${var.artifact_name}'",
      "printf '{\"format\":1,\"errors\":[],\"packages\":[{\"name\":\"curl\",\"version\":\"1\"}]}' > ${var.inventory_path}",
    ]
  }

  post-processor "manifest" {
    output     = var.manifest_path
    strip_path = true
  }
}
