# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:48:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-what-a-build-starts-from
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# VMware vSphere from an installation medium: one `vsphere-iso` source for every Linux image.

variable "vm_guest_os_type" {
  type        = string
  description = "vSphere guest identifier, for example other5xLinux64Guest."
}

variable "vm_disk_controller_type" {
  type        = list(string)
  description = "Disk controllers, in order."
  default     = ["pvscsi"]
}

variable "vm_disk_thin_provisioned" {
  type        = bool
  description = "Allocate the disk's blocks when they are first written."
  default     = true
}

variable "vm_network_card" {
  type        = string
  description = "Type of the network adapter."
  default     = "vmxnet3"
}

variable "vm_cdrom_type" {
  type        = string
  description = "Controller of the CD drives: sata or ide."
  default     = "sata"
}

variable "vsphere_vm_version" {
  type        = number
  description = "Virtual hardware version; null takes the newest of the host."
  default     = null
}

locals {
  sources = ["source.vsphere-iso.linux"]
}

source "vsphere-iso" "linux" {
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

  vm_name              = var.artifact_name
  notes                = local.notes
  vm_version           = var.vsphere_vm_version
  guest_os_type        = var.vm_guest_os_type
  firmware             = var.vm_firmware
  CPUs                 = var.vm_cpu_count
  cpu_cores            = var.vm_cpu_cores
  RAM                  = var.vm_memory_mb
  cdrom_type           = var.vm_cdrom_type
  disk_controller_type = var.vm_disk_controller_type

  storage {
    disk_size             = var.vm_disk_size_mb
    disk_thin_provisioned = var.vm_disk_thin_provisioned
  }

  network_adapters {
    network      = var.vsphere_network
    network_card = var.vm_network_card
  }

  # The unattended installation travels on a second CD, so that the guest needs no way back to this machine.
  # The label is the one that cloud-init's NoCloud source looks for; Debian's boot command mounts the drive itself.
  iso_paths            = ["[${var.iso_storage}] ${var.iso_path}/${var.iso_file}"]
  cd_content           = local.installer_files
  cd_label             = "cidata"
  remove_cdrom         = true
  remote_cache_cleanup = true

  # Nothing is served over HTTP. Without an address the plugin demands a network interface other than loopback.
  http_bind_address = "127.0.0.1"

  boot_order             = "disk,cdrom"
  boot_wait              = var.boot_wait
  boot_command           = local.boot_command
  boot_keygroup_interval = var.boot_keygroup_interval
  ip_wait_timeout        = var.communicator_timeout
  ip_settle_timeout      = var.ip_settle_timeout

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
