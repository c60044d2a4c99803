packer {
  required_plugins {
    vsphere = {
      source  = "github.com/hashicorp/vsphere"
      version = ">= 1.4.0"
    }
  }
}

variable "vsphere_endpoint" {}
variable "vsphere_username" {}
variable "vsphere_password" {
  sensitive = true
}
variable "vsphere_insecure_connection" {
  type = bool
}
variable "build_username" {}
variable "build_password" {
  sensitive = true
}
variable "communicator_port" {
  type = number
}
variable "vm_name" {}
variable "library_item" {}
variable "out" {}
variable "script" {
  default = "true"
}

source "vsphere-iso" "linux" {
  vcenter_server      = var.vsphere_endpoint
  username            = var.vsphere_username
  password            = var.vsphere_password
  insecure_connection = var.vsphere_insecure_connection

  datacenter = "DC0"
  cluster    = "DC0_C0"
  datastore  = "LocalDS_0"
  folder     = "golden"
  vm_name    = var.vm_name

  guest_os_type = "other5xLinux64Guest"
  CPUs          = 1
  RAM           = 512
  storage {
    disk_size = 1024
  }
  network_adapters {
    network      = "VM Network"
    network_card = "vmxnet3"
  }

  iso_paths            = ["[LocalDS_0] iso/debian-12.iso"]
  cd_content           = { "preseed.cfg" = "d-i debian-installer/locale string en_US\n" }
  cd_label             = "cidata"
  remove_cdrom         = true
  remote_cache_cleanup = true
  http_bind_address    = "127.0.0.1"

  boot_order             = "disk,cdrom"
  boot_wait              = "1ns"
  boot_keygroup_interval = "1ns"
  ip_settle_timeout      = "1ns"
  boot_command           = ["<esc>auto url=/Preseed.cfg<enter>"]

  communicator     = "ssh"
  ssh_username     = var.build_username
  ssh_password     = var.build_password
  ssh_port         = var.communicator_port
  ssh_timeout      = "1m"
  shutdown_command = "sudo shutdown -P now"
  shutdown_timeout = "1m"

  convert_to_template = true
  content_library_destination {
    library = "golden"
    name    = var.library_item
    ovf     = true
  }
}

build {
  sources = ["source.vsphere-iso.linux"]

  provisioner "shell" {
    inline = [
      "echo provisioned by $(id -un) > marker",
      "sudo sh -c 'echo ${var.vm_name} > /etc/built'",
      "cat /etc/os-release > os-release",
      var.script,
    ]
  }

  provisioner "file" {
    direction   = "download"
    source      = "os-release"
    destination = var.out
  }
}
