# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:59:18Z
# Spec: openspec/specs/plan/spec.md#requirement-difference-to-a-commit
# Diagram: openspec/specs/plan/diagram.md#two-trees

packer {
  required_plugins {
    vsphere = {
      source  = "github.com/hashicorp/vsphere"
      version = ">= 1.2.0"
    }
  }
}

locals {
  sources = ["source.vsphere-iso.linux"]
}

source "vsphere-iso" "linux" {
}
