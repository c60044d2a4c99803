# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T23:20:00Z
# Spec: openspec/specs/runner/spec.md#requirement-execute-each-target-on-its-own
# Diagram: openspec/specs/runner/diagram.md#stages

image "debian-12" {
  os        = "linux"
  family    = "debian"
  version   = "12"
  title     = "Debian 12"
  platforms = ["vsphere"]

  unsupported "azure" {
    reason = "no Marketplace image in this fixture"
  }
}

image "debian-13" {
  os        = "linux"
  family    = "debian"
  version   = "13"
  title     = "Debian 13"
  platforms = ["vsphere"]
}
