# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:46:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-one-variable-schema
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# What is the same on every platform: the variables, the provisioning and the record of a build.
# A platform file (templates/platforms/<platform>.pkr.hcl) is staged beside this one and adds
# `local.platform`, `local.sources` and the source block. Nothing here names a platform.

packer {
  required_version = ">= 1.10.0"
  required_plugins {
    ansible = {
      source  = "github.com/hashicorp/ansible"
      version = ">= 1.1.2"
    }
  }
}

# --- The run: set by packer-hybrid for every build, never by a var-file --------------------------

variable "run_id" {
  type        = string
  description = "Identifies the run, for example 20261122t224501-1a2b3c4d. Written into everything that the run creates."
}

variable "image" {
  type        = string
  description = "Name of the image in the catalogue, for example debian-12."
}

variable "environment" {
  type        = string
  description = "Name of the environment (configs/<environment>/) that the image is built for."
}

variable "artifact_name" {
  type        = string
  description = "Name of what is built. New for every run: a build never overwrites an older image."
  validation {
    condition     = length(var.artifact_name) > 0 && length(var.artifact_name) <= 80
    error_message = "The artifact_name must have 1 to 80 characters: vCenter refuses longer names."
  }
}

variable "manifest_path" {
  type        = string
  description = "File on this machine that the manifest of this one build is written to."
}

variable "inventory_path" {
  type        = string
  description = "File on this machine that the inventory of the guest is downloaded to."
}

# --- The connection to the guest: never part of the image ----------------------------------------

variable "build_username" {
  type        = string
  description = "Account that the installer creates for the build. It is removed before the image is captured."
  default     = "packer"
  validation {
    condition     = can(regex("^[a-z_][a-z0-9_-]{0,31}$", var.build_username)) && var.build_username != "root"
    error_message = "The build_username must be a Linux account name (a-z, 0-9, _ and -, at most 32 characters) and not root: the account is removed."
  }
}

variable "build_password" {
  type        = string
  description = "Password of the build account, for the SSH connection."
  sensitive   = true
}

variable "build_password_encrypted" {
  type        = string
  description = "crypt(3) hash of build_password for the installer (mkpasswd --method=yescrypt). When it is empty the installer receives the plain password on its CD."
  default     = ""
  sensitive   = true
}

variable "communicator_port" {
  type        = number
  description = "TCP port of SSH in the guest."
  default     = 22
}

variable "communicator_timeout" {
  type        = string
  description = "Longest time until the installed system has an address, and again until SSH answers there."
  default     = "45m"
}

# --- The guest -----------------------------------------------------------------------------------

variable "guest_family" {
  type        = string
  description = "Distribution family: the folder below templates/installers/ that holds the unattended installation."
}

variable "guest_locale" {
  type        = string
  description = "Locale of the installation, for example en_US.UTF-8."
}

variable "guest_keyboard" {
  type        = string
  description = "XKB layout of the console."
}

variable "guest_timezone" {
  type        = string
  description = "Time zone of the image in the names of the tz database."
}

variable "guest_hostname" {
  type        = string
  description = "Host name until the deployed machine is given its own."
}

variable "guest_users" {
  type        = list(object({ name = string, sudo = bool, authorized_keys = list(string) }))
  description = "Accounts that stay in the image, with locked passwords and public keys. With none, the platform's first-boot agent (cloud-init) creates the first account."
  default     = []
}

variable "guest_packages" {
  type        = list(string)
  description = "Packages that every platform's image carries beyond the base set of the family."
  default     = []
}

variable "platform_packages" {
  type        = list(string)
  description = "Packages that only this platform's images carry: its guest agent. The installer brings them, provisioning makes sure."
  default     = []
}

variable "guest_upgrade" {
  type        = bool
  description = "Upgrade all packages to the newest version of the configured repositories."
  default     = true
}

# --- The hardware --------------------------------------------------------------------------------

variable "vm_cpu_count" {
  type        = number
  description = "Virtual processors, in total."
  default     = 2
}

variable "vm_cpu_cores" {
  type        = number
  description = "Cores per virtual socket."
  default     = 1
}

variable "vm_memory_mb" {
  type        = number
  description = "Memory in MiB."
  default     = 2048
}

variable "vm_disk_size_mb" {
  type        = number
  description = "Size of the system disk in MiB."
  default     = 40960
}

variable "vm_firmware" {
  type        = string
  description = "efi-secure (UEFI with Secure Boot), efi or bios."
  default     = "efi-secure"
  validation {
    condition     = contains(["efi-secure", "efi", "bios"], var.vm_firmware)
    error_message = "The vm_firmware must be efi-secure, efi or bios."
  }
}

# --- The installation ----------------------------------------------------------------------------

variable "iso_storage" {
  type        = string
  description = "Storage of the platform that holds the installation media: a datastore (vSphere) or a storage id (Proxmox)."
}

variable "iso_path" {
  type        = string
  description = "Folder of the installation media on iso_storage."
  default     = "iso"
}

variable "iso_file" {
  type        = string
  description = "File name of the installation medium."
}

variable "install_disk_device" {
  type        = string
  description = "Kernel name of the system disk in the installer, without /dev/."
  default     = "sda"
}

variable "install_disks" {
  type = object({
    volume_group = string
    partitions   = list(object({ name = string, mount = string, filesystem = string, size_mb = number }))
    volumes      = list(object({ name = string, mount = string, filesystem = string, size_mb = number }))
  })
  description = "Layout of the system disk: the boot partition, then one LVM volume group over the rest. The firmware's own partition is added by the installer template. A size of -1 takes what is left."
  validation {
    condition = (
      length([for v in var.install_disks.volumes : v if v.mount == "/"]) == 1 &&
      length([for v in var.install_disks.volumes : v if v.size_mb == -1]) == 1
    )
    error_message = "The install_disks need exactly one volume mounted at / and exactly one volume with size_mb = -1."
  }
}

variable "install_network" {
  type        = object({ device = string, dhcp = bool, address = string, prefix = number, netmask = string, gateway = string, dns = list(string) })
  description = "Network of the installation. With dhcp the addresses are ignored; an empty device takes the first one with a link."
  validation {
    condition     = var.install_network.dhcp || (var.install_network.address != "" && var.install_network.gateway != "" && var.install_network.device != "")
    error_message = "An install_network without dhcp needs device, address, prefix, netmask and gateway."
  }
}

variable "install_mirror" {
  type        = object({ host = string, directory = string, proxy = string })
  description = "Package mirror of the installation (HTTP) and the proxy to reach it; an empty proxy goes direct."
}

variable "install_packages" {
  type        = list(string)
  description = "Packages that the installer itself must install so that provisioning can begin."
}

variable "boot_wait" {
  type        = string
  description = "Time from power-on until the boot command is typed."
  default     = "10s"
}

variable "boot_keygroup_interval" {
  type        = string
  description = "Pause between groups of typed keys."
  default     = "100ms"
}

variable "boot_command" {
  type        = list(string)
  description = "Keys that start the unattended installation."
}

variable "boot_command_waits" {
  type        = bool
  description = "Keep the <wait...> keys of boot_command. A simulated platform, where no boot loader needs time, sets false."
  default     = true
}

locals {
  # The whole description of one unattended installation: every template below installers/<family>/ sees these names.
  installer = {
    username           = var.build_username
    password           = var.build_password_encrypted == "" ? var.build_password : ""
    password_encrypted = var.build_password_encrypted
    hostname           = var.guest_hostname
    locale             = var.guest_locale
    keyboard           = var.guest_keyboard
    timezone           = var.guest_timezone
    firmware           = var.vm_firmware
    device             = "/dev/${var.install_disk_device}"
    disks              = var.install_disks
    network            = var.install_network
    mirror             = var.install_mirror
    packages           = sort(distinct(concat(var.install_packages, var.platform_packages)))
  }
  installer_files = {
    for name in fileset("${path.root}/installers/${var.guest_family}", "*.pkrtpl.hcl") :
    "/${trimsuffix(name, ".pkrtpl.hcl")}" => templatefile("${path.root}/installers/${var.guest_family}/${name}", local.installer)
  }
  boot_command = [
    for keys in var.boot_command : var.boot_command_waits ? keys : regex_replace(keys, "<wait[0-9a-z]*>", "")
  ]

  guest_inventory = "/tmp/packer-hybrid-inventory.json"
  # Checked in the guest by the last step, see scripts/linux/residue.py.
  residue = join(" ", concat(["--build-user", var.build_username], [for user in var.guest_users : "--account=${user.name}"]))
}

build {
  sources = local.sources

  provisioner "ansible" {
    playbook_file    = "${path.root}/ansible/linux.yml"
    user             = var.build_username
    use_sftp         = true
    ansible_env_vars = ["ANSIBLE_CONFIG=${abspath(path.root)}/ansible/ansible.cfg"]
    # Printed in the log: nothing secret may be added.
    extra_arguments = ["--extra-vars", jsonencode({
      image_name        = var.image
      image_run         = var.run_id
      image_platform    = local.platform
      build_username    = var.build_username
      guest_timezone    = var.guest_timezone
      guest_users       = var.guest_users
      guest_packages    = var.guest_packages
      guest_upgrade     = var.guest_upgrade
      platform_packages = var.platform_packages
    })]
  }

  provisioner "shell" {
    script          = "${path.root}/scripts/linux/inventory.py"
    remote_path     = "/tmp/packer-hybrid-inventory.py"
    execute_command = "sudo -n /usr/bin/python3 -I {{ .Path }} --output ${local.guest_inventory} --transient-user ${var.build_username}"
  }

  provisioner "file" {
    direction   = "download"
    source      = local.guest_inventory
    destination = var.inventory_path
  }

  # The last step removes the account that is logged in: no connection may follow. The password stays in memory.
  provisioner "shell" {
    script           = "${path.root}/scripts/linux/residue.py"
    remote_folder    = "/dev/shm"
    use_env_var_file = true
    environment_vars = ["BUILD_PASSWORD=${var.build_password}"]
    execute_command  = ". {{ .EnvVarFile }} && rm -f {{ .EnvVarFile }} && printf %s \"$BUILD_PASSWORD\" | sudo -n /usr/bin/python3 -I {{ .Path }} --finish /usr/local/sbin/packer-hybrid-finish ${local.residue}"
    skip_clean       = true
  }

  # custom_data is written in clear: no secret may be added.
  post-processor "manifest" {
    output     = var.manifest_path
    strip_path = true
    custom_data = {
      run_id        = var.run_id
      image         = var.image
      platform      = local.platform
      environment   = var.environment
      artifact_name = var.artifact_name
    }
  }
}
