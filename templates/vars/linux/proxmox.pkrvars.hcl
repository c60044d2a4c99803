# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T00:56:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-differences-are-layers-of-literals
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# What every Linux image has on Proxmox VE.

install_disk_device = "sda"

platform_packages = ["qemu-guest-agent"]
