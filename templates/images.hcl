# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:46:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-one-catalogue-of-images
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# The catalogue: every image that can be built, and the platforms it is built for.
# `family` and `version` choose the folders below templates/vars/<os>/ and templates/installers/, and are what the guest must call
# itself in os-release (ID and VERSION_ID; "9" is also 9.4).
# A platform that cannot carry an image is named with its reason, so that plans and reports can say it:
#   unsupported "azure" { reason = "no first-party Marketplace image" }

image "debian-12" {
  os        = "linux"
  family    = "debian"
  version   = "12"
  title     = "Debian 12 (bookworm)"
  platforms = ["proxmox", "vsphere", "azure"]
}

image "ubuntu-24.04" {
  os        = "linux"
  family    = "ubuntu"
  version   = "24.04"
  title     = "Ubuntu 24.04 LTS (noble)"
  platforms = ["proxmox", "vsphere", "azure"]
}
