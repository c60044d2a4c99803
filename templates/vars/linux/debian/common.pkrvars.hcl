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
