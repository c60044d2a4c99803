# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:47:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-an-environment-is-a-folder
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# The simulated vCenter.

vsphere_datacenter      = "DC0"
vsphere_cluster         = "DC0_C0"
vsphere_datastore       = "LocalDS_0"
vsphere_network         = "VM Network"
vsphere_folder          = "golden"
vsphere_content_library = "golden"
iso_storage             = "LocalDS_0"
ip_settle_timeout       = "1ns"
shutdown_timeout        = "1m"
