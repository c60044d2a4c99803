# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:47:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-differences-are-layers-of-literals
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# Every Debian.

guest_family = "debian"

install_mirror = {
  host      = "deb.debian.org"
  directory = "/debian"
  proxy     = ""
}

install_packages = ["openssh-server", "python3", "python3-apt", "sudo"]

# GRUB's command line (c) starts the installer. It asks for the preseed file before any drive but the
# installation medium is mounted: dismiss the two errors, mount the second CD in the shell on the second
# console, and choose "Load debconf preconfiguration file" in the installer's menu.
boot_command = [
  "<wait3s>c<wait3s>",
  "linux /install.amd/vmlinuz auto-install/enable=true debconf/priority=critical file=/media/preseed.cfg noprompt --<enter>",
  "initrd /install.amd/initrd.gz<enter>",
  "boot<enter><wait30s>",
  "<enter><wait><enter><wait>",
  "<leftAltOn><f2><leftAltOff><enter><wait>mount /dev/sr1 /media<enter><wait><leftAltOn><f1><leftAltOff>",
  "<down><down><down><down><enter>",
]
