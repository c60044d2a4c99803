# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:47:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-an-environment-is-a-folder
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# vSphere of the example site. The connection comes from the environment:
#   PKR_VAR_vsphere_endpoint, PKR_VAR_vsphere_username, PKR_VAR_vsphere_password

vsphere_datacenter      = "dc-01"
vsphere_cluster         = "cluster-01"
vsphere_datastore       = "ssd-01"
vsphere_network         = "build-100"
vsphere_folder          = "images/golden"
vsphere_content_library = "golden"
iso_storage             = "isos"

# Start from a template of the site instead of an installation medium; configs/example/debian-12@vsphere.pkrvars.hcl then names it:
#   clone_from = "templates/debian-12-base"
# build_from = "clone"
