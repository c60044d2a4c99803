# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:59:18Z
# Spec: openspec/specs/plan/spec.md#requirement-difference-to-a-commit
# Diagram: openspec/specs/plan/diagram.md#two-trees

variable "cpus" {
  type    = number
  default = 1
}

variable "packages" {
  type    = list(string)
  default = []
}

variable "build_password" {
  type      = string
  sensitive = true
}

build {
  sources = local.sources
}
