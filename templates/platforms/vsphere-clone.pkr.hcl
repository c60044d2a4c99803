# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:48:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-what-a-build-starts-from
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# VMware vSphere from a template there: one `vsphere-clone` source for every Linux image. The template has to bring
# VMware Tools and the build account, with its password and sudo without one: the account leaves the image at the end.

locals {
  sources = ["source.vsphere-clone.linux"]
}

source "vsphere-clone" "linux" {
  vcenter_server      = var.vsphere_endpoint
  username            = var.vsphere_username
  password            = var.vsphere_password
  insecure_connection = var.vsphere_insecure_connection

  datacenter    = var.vsphere_datacenter
  cluster       = var.vsphere_cluster
  host          = var.vsphere_host
  resource_pool = var.vsphere_resource_pool
  datastore     = var.vsphere_datastore
  folder        = var.vsphere_folder

  template  = var.clone_from
  vm_name   = var.artifact_name
  notes     = local.notes
  network   = var.vsphere_network
  CPUs      = var.vm_cpu_count
  cpu_cores = var.vm_cpu_cores
  RAM       = var.vm_memory_mb

  # Nothing is served over HTTP. Without an address the plugin demands a network interface other than loopback.
  http_bind_address = "127.0.0.1"

  ip_wait_timeout   = var.communicator_timeout
  ip_settle_timeout = var.ip_settle_timeout

  communicator = "ssh"
  ssh_username = var.build_username
  ssh_password = var.build_password
  ssh_port     = var.communicator_port
  ssh_timeout  = var.communicator_timeout

  # Without a command, VMware Tools power off: the build account, which would run it, is gone.
  shutdown_timeout = var.shutdown_timeout

  convert_to_template = true

  dynamic "content_library_destination" {
    for_each = var.vsphere_content_library == "" ? [] : [var.vsphere_content_library]
    content {
      library     = content_library_destination.value
      name        = var.artifact_name
      description = local.notes
      ovf         = true
    }
  }
}
