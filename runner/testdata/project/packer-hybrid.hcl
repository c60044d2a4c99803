# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T23:20:00Z
# Spec: openspec/specs/runner/spec.md#requirement-execute-each-target-on-its-own
# Diagram: openspec/specs/runner/diagram.md#stages

project {
  name                = "fixture"
  default_environment = "lab"
}

environment "lab" {
  platforms = ["vsphere"]
  parallel  = 3
}

environment "prod" {
  prod      = true
  platforms = ["vsphere"]
}

build {
  cancel_grace = "20s"
}
