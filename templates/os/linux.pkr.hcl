# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:14:00Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-one-build-for-every-platform
# Diagram: openspec/specs/image-recipes/diagram.md#from-a-catalogue-entry-to-a-staged-target

# The build of every Linux image: provisioning, the inventory of the guest and the record of the build. It is the same on
# every platform, and nothing here names one.

packer {
  required_plugins {
    ansible = {
      source  = "github.com/hashicorp/ansible"
      version = ">= 1.1.2"
    }
  }
}

locals {
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

  # Makes /tmp/inventory.d: each script there is a section of the inventory.
  provisioner "file" {
    source      = "${path.root}/scripts/linux/inventory.d"
    destination = "/tmp"
  }

  provisioner "shell" {
    script          = "${path.root}/scripts/linux/inventory.py"
    remote_path     = "/tmp/packer-hybrid-inventory.py"
    execute_command = "sudo -n /usr/bin/python3 -I {{ .Path }} --sections /tmp/inventory.d --output ${local.guest_inventory} --transient-user ${var.build_username} --rules ${base64encode(jsonencode(var.guest_inventory))} && rm -rf /tmp/inventory.d"
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

  post-processor "manifest" {
    output      = var.manifest_path
    strip_path  = true
    custom_data = local.manifest
  }
}
