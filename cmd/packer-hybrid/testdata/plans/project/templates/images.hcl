# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:59:18Z
# Spec: openspec/specs/plan/spec.md#requirement-difference-to-a-commit
# Diagram: openspec/specs/plan/diagram.md#two-trees

image "debian-12" {
  os        = "linux"
  family    = "debian"
  version   = "12"
  title     = "Debian 12"
  platforms = ["proxmox", "vsphere"]
}

image "debian-13" {
  os        = "linux"
  family    = "debian"
  version   = "13"
  title     = "Debian 13"
  platforms = ["vsphere"]
}
