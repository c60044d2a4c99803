# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T00:56:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-an-environment-is-a-folder
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# The simulated Proxmox VE.

proxmox_node    = "pve1"
proxmox_storage = "local-lvm"
iso_storage     = "local"
