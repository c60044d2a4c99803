# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T23:20:00Z
# Spec: openspec/specs/runner/spec.md#requirement-execute-each-target-on-its-own
# Diagram: openspec/specs/runner/diagram.md#stages

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

variable "size" {
  type    = number
  default = 1
}

variable "script" {
  type    = string
  default = "true"
}

variable "inventory" {
  type    = string
  default = "{\"format\":1,\"errors\":[],\"os_release\":{\"ID\":\"debian\",\"VERSION_ID\":\"VERSION\"},\"packages\":[{\"name\":\"curl\",\"version\":\"1\",\"architecture\":\"amd64\",\"manager\":\"dpkg\"}]}"
}

variable "build_password" {
  type      = string
  sensitive = true
}

build {
  sources = local.sources

  provisioner "shell-local" {
    environment_vars = ["ARTIFACT=${var.artifact_name}", "INVENTORY=${var.inventory}", "IMAGE=${var.image}"]
    inline           = ["echo password is ${var.build_password}", "printf '%s' \"$INVENTORY\" | sed \"s/VERSION\\\"}/$${IMAGE#debian-}\\\"}/\" > ${var.inventory_path}", var.script]
  }

  post-processor "manifest" {
    output     = var.manifest_path
    strip_path = true
  }
}
