# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:44:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-one-variable-schema
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# The variables that every target has. With the files that every target has, their values are the recipe of an
# image, which is equal on all platforms. What platforms answer differently is declared in platforms/, and what
# only one way to build needs in from/.

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

variable "guest_upgrade" {
  type        = bool
  description = "Upgrade all packages to the newest version of the configured repositories."
  default     = true
}

variable "guest_inventory" {
  type        = list(object({ how = string, paths = list(string), reason = string }))
  description = "What the inventory compares or leaves out besides templates/scripts/linux/inventory.d/files.json: how (compare, without packages, leave out, own, normalise), absolute paths (* for a part), and the reason."
  default     = []
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
  description = "Size of the system disk in MiB. A clone keeps the disk of its template."
  default     = 40960
}

variable "vm_firmware" {
  type        = string
  description = "efi-secure (UEFI with Secure Boot), efi or bios. A clone keeps the firmware of its template."
  default     = "efi-secure"
  validation {
    condition     = contains(["efi-secure", "efi", "bios"], var.vm_firmware)
    error_message = "The vm_firmware must be efi-secure, efi or bios."
  }
}
