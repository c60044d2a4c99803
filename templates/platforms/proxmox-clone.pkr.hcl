# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:48:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-what-a-build-starts-from
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# Proxmox VE from a template there: one `proxmox-clone` source for every Linux image. The template has to bring the
# guest agent and cloud-init with its drive: cloud-init makes the build account, with the key of this one build.

locals {
  sources = ["source.proxmox-clone.linux"]
  # A number is a VMID, as Proxmox VE gives them.
  clone_is_id = can(regex("^[1-9][0-9]{2,8}$", var.clone_from))
}

source "proxmox-clone" "linux" {
  proxmox_url              = var.proxmox_url
  username                 = var.proxmox_username
  token                    = var.proxmox_token
  insecure_skip_tls_verify = var.proxmox_insecure_connection

  node                 = var.proxmox_node
  pool                 = var.proxmox_pool
  vm_name              = var.artifact_name
  template_name        = var.artifact_name
  template_description = local.notes
  tags                 = "packer-hybrid;ph-run-${var.run_id}"
  task_timeout         = "10m"

  clone_vm    = local.clone_is_id ? null : var.clone_from
  clone_vm_id = local.clone_is_id ? var.clone_from : null

  os              = var.vm_guest_os_type
  cpu_type        = var.vm_cpu_type
  sockets         = ceil(var.vm_cpu_count / var.vm_cpu_cores)
  cores           = var.vm_cpu_cores
  memory          = var.vm_memory_mb
  scsi_controller = var.vm_scsi_controller
  qemu_agent      = true

  network_adapters {
    model    = var.vm_network_card
    bridge   = var.proxmox_bridge
    vlan_tag = var.proxmox_vlan_tag
  }

  # Nothing is served over HTTP. Without an address the plugin demands a network interface other than loopback.
  http_bind_address = "127.0.0.1"

  communicator   = "ssh"
  ssh_username   = var.build_username
  ssh_port       = var.communicator_port
  ssh_timeout    = var.communicator_timeout
  ssh_proxy_host = var.proxmox_ssh_proxy_host
  ssh_proxy_port = var.proxmox_ssh_proxy_port
}
