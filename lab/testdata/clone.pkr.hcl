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
variable "template" {}
variable "out" {}

source "vsphere-clone" "linux" {
  vcenter_server      = var.vsphere_endpoint
  username            = var.vsphere_username
  password            = var.vsphere_password
  insecure_connection = var.vsphere_insecure_connection

  datacenter = "DC0"
  cluster    = "DC0_C0"
  datastore  = "LocalDS_0"
  folder     = "golden"
  template   = "golden/${var.template}"
  vm_name    = var.vm_name

  ip_settle_timeout = "1ns"
  http_bind_address = "127.0.0.1"
  communicator      = "ssh"
  ssh_username      = var.build_username
  ssh_password      = var.build_password
  ssh_port          = var.communicator_port
  ssh_timeout       = "1m"
}

build {
  sources = ["source.vsphere-clone.linux"]

  provisioner "shell" {
    inline = ["cat /etc/built marker > all", "echo clone > marker"]
  }

  provisioner "file" {
    direction   = "download"
    source      = "all"
    destination = var.out
  }
}
