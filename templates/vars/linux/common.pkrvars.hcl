# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:47:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-differences-are-layers-of-literals
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# Every Linux image, on every platform.

guest_locale   = "en_US.UTF-8"
guest_keyboard = "us"
guest_timezone = "Etc/UTC"
guest_hostname = "localhost"

vm_cpu_count    = 2
vm_cpu_cores    = 1
vm_memory_mb    = 2048
vm_disk_size_mb = 40960
vm_firmware     = "efi-secure"

install_disks = {
  volume_group = "sysvg"
  partitions = [
    { name = "boot", mount = "/boot", filesystem = "ext4", size_mb = 1024 },
  ]
  volumes = [
    { name = "swap", mount = "", filesystem = "swap", size_mb = 2048 },
    { name = "var", mount = "/var", filesystem = "ext4", size_mb = 8192 },
    { name = "log", mount = "/var/log", filesystem = "ext4", size_mb = 4096 },
    { name = "root", mount = "/", filesystem = "ext4", size_mb = -1 },
  ]
}

install_network = {
  device  = ""
  dhcp    = true
  address = ""
  prefix  = 0
  netmask = ""
  gateway = ""
  dns     = []
}
