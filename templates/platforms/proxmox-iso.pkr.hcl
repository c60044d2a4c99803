# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:48:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-what-a-build-starts-from
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# Proxmox VE from an installation medium: one `proxmox-iso` source for every Linux image.

locals {
  sources = ["source.proxmox-iso.linux"]
}

source "proxmox-iso" "linux" {
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

  os              = var.vm_guest_os_type
  bios            = var.vm_firmware == "bios" ? "seabios" : "ovmf"
  cpu_type        = var.vm_cpu_type
  sockets         = ceil(var.vm_cpu_count / var.vm_cpu_cores)
  cores           = var.vm_cpu_cores
  memory          = var.vm_memory_mb
  scsi_controller = var.vm_scsi_controller
  qemu_agent      = true

  dynamic "efi_config" {
    for_each = var.vm_firmware == "bios" ? [] : [var.vm_firmware == "efi-secure"]
    content {
      efi_storage_pool  = var.proxmox_storage
      efi_type          = "4m"
      pre_enrolled_keys = efi_config.value
    }
  }

  disks {
    type         = "scsi"
    storage_pool = var.proxmox_storage
    disk_size    = "${var.vm_disk_size_mb}M"
  }

  network_adapters {
    model    = var.vm_network_card
    bridge   = var.proxmox_bridge
    vlan_tag = var.proxmox_vlan_tag
  }

  boot_iso {
    type     = "ide"
    iso_file = "${var.iso_storage}:${var.iso_path}/${var.iso_file}"
    unmount  = true
  }

  # The unattended installation travels on a second CD, as on every platform that boots an installer.
  additional_iso_files {
    type             = "sata"
    cd_content       = local.installer_files
    cd_label         = "cidata"
    iso_storage_pool = var.iso_storage
    unmount          = true
  }

  # Nothing is served over HTTP. Without an address the plugin demands a network interface other than loopback.
  http_bind_address = "127.0.0.1"

  boot                   = "order=scsi0;ide0"
  boot_wait              = var.boot_wait
  boot_command           = local.boot_command
  boot_keygroup_interval = var.boot_keygroup_interval

  communicator   = "ssh"
  ssh_username   = var.build_username
  ssh_password   = var.build_password
  ssh_port       = var.communicator_port
  ssh_timeout    = var.communicator_timeout
  ssh_proxy_host = var.proxmox_ssh_proxy_host
  ssh_proxy_port = var.proxmox_ssh_proxy_port
}
