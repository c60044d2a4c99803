packer {
  required_plugins {
    proxmox = {
      source  = "github.com/hashicorp/proxmox"
      version = ">= 1.2.3"
    }
  }
}
variable "proxmox_url" {}
variable "proxmox_username" {}
variable "proxmox_token" {}
variable "proxmox_ssh_proxy_host" {}
variable "proxmox_ssh_proxy_port" { type = number }
variable "build_username" {}
variable "build_password" {}
variable "communicator_port" { type = number }
variable "script" { default = "true" }

source "proxmox-iso" "linux" {
  proxmox_url             = var.proxmox_url
  username                = var.proxmox_username
  token                   = var.proxmox_token
  node                    = "pve1"
  vm_name                 = "lab-build"
  template_name           = "lab-golden"
  template_description    = "built"
  tags                    = "lab;golden"
  os                      = "l26"
  bios                    = "ovmf"
  machine                 = "q35"
  cores                   = 2
  memory                  = 1024
  ballooning_minimum      = 512
  cpu_type                = "host"
  boot                    = "order=scsi0;ide0;net0"
  qemu_additional_args    = "-no-hpet"
  serials                 = ["socket", "/dev/ttyS1"]
  scsi_controller         = "virtio-scsi-single"
  cloud_init              = true
  cloud_init_storage_pool = "local-lvm"
  vga {
    type   = "std"
    memory = 32
  }
  rng0 {
    source    = "/dev/urandom"
    max_bytes = 1024
    period    = 1000
  }
  tpm_config {
    tpm_storage_pool = "local-lvm"
  }
  efi_config {
    efi_storage_pool  = "local-lvm"
    pre_enrolled_keys = true
    efi_format        = "raw"
  }
  network_adapters {
    bridge        = "vmbr0"
    model         = "virtio"
    vlan_tag      = "5"
    firewall      = true
    mtu           = 1400
    packet_queues = 2
    mac_address   = "BC:24:11:00:00:01"
  }
  disks {
    type                = "scsi"
    storage_pool        = "local-lvm"
    disk_size           = "8G"
    discard             = true
    io_thread           = true
    ssd                 = true
    asyncio             = "native"
    exclude_from_backup = true
    cache_mode          = "writeback"
  }
  disks {
    type         = "virtio"
    storage_pool = "local-lvm"
    disk_size    = "1500M"
  }
  boot_iso {
    iso_file = "local:iso/debian-12.iso"
    unmount  = true
  }
  additional_iso_files {
    cd_content       = { "preseed.cfg" = "x" }
    cd_label         = "cidata"
    iso_storage_pool = "local"
    unmount          = true
    type             = "sata"
  }
  http_content      = { "/a" = "b" }
  http_bind_address = "127.0.0.1"
  boot_wait         = "1ns"
  boot_command      = ["<esc>auto Url=/{{ .HTTPIP }}:{{ .HTTPPort }}<leftShiftOn>a<leftShiftOff><enter>"]
  ssh_username      = var.build_username
  ssh_password      = var.build_password
  ssh_port          = var.communicator_port
  ssh_timeout       = "1m"
  ssh_proxy_host    = var.proxmox_ssh_proxy_host
  ssh_proxy_port    = var.proxmox_ssh_proxy_port
}

source "proxmox-clone" "linux" {
  proxmox_url          = var.proxmox_url
  username             = var.proxmox_username
  token                = var.proxmox_token
  node                 = "pve1"
  vm_name              = "lab-clone-build"
  template_name        = "lab-clone"
  template_description = "cloned"
  clone_vm             = "debian-12-base"
  os                   = "l26"
  nameserver           = "192.0.2.53"
  scsi_controller      = "virtio-scsi-pci"
  ipconfig {
    ip      = "192.0.2.10/24"
    gateway = "192.0.2.1"
  }
  network_adapters {
    bridge      = "vmbr0"
    model       = "virtio"
    mac_address = "BC:24:11:00:00:01"
  }
  disks {
    type         = "scsi"
    storage_pool = "local-lvm"
    disk_size    = "2G"
  }
  ssh_username   = var.build_username
  ssh_port       = var.communicator_port
  ssh_timeout    = "1m"
  ssh_proxy_host = var.proxmox_ssh_proxy_host
  ssh_proxy_port = var.proxmox_ssh_proxy_port
}

build {
  sources = ["source.proxmox-iso.linux", "source.proxmox-clone.linux"]
  provisioner "shell" {
    inline = ["echo provisioned by $(id -un)", var.script]
  }
}
