# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:47:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-differences-are-layers-of-literals
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# Every Ubuntu.

guest_family = "ubuntu"

install_mirror = {
  host      = "archive.ubuntu.com"
  directory = "/ubuntu"
  proxy     = ""
}

install_packages = ["openssh-server", "python3", "python3-apt", "sudo"]

# GRUB's command line (c) starts the live system; it finds the unattended installation by the CD's label, cidata.
boot_command = [
  "<wait3s>c<wait3s>",
  "linux /casper/vmlinuz --- autoinstall ds=nocloud<enter><wait>",
  "initrd /casper/initrd<enter><wait>",
  "boot<enter>",
]
