# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:47:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-differences-are-layers-of-literals
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# Every Linux image on vSphere.

install_disk_device      = "sda"
vm_disk_controller_type  = ["pvscsi"]
vm_disk_thin_provisioned = true
vm_network_card          = "vmxnet3"
vm_cdrom_type            = "sata"

# The guest's address is learnt from the tools, so the installer already brings them.
platform_packages = ["open-vm-tools"]
