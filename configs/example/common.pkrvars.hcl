# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:47:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-an-environment-is-a-folder
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# An environment to copy: what every platform of your site shares. Values here win over templates/vars/.
# Secrets do not belong here: export them, for example PKR_VAR_build_password.
# PKR_VAR_* wins over the files: `packer-hybrid plan` reads all layers itself and hands Packer one value for each variable.

# Accounts that every image of this environment keeps. Their passwords are locked: only the keys let in.
# guest_users = [
#   { name = "operator", sudo = true, authorized_keys = ["ssh-ed25519 AAAA... operator@example.com"] },
# ]

# Packages beyond the base set.
# guest_packages = ["htop", "tmux"]

# A mirror of your own, and how to reach it.
# install_mirror = { host = "mirror.example.com", directory = "/debian", proxy = "http://proxy.example.com:3128" }

# A network without DHCP.
# install_network = {
#   device  = "ens192"
#   dhcp    = false
#   address = "192.0.2.10"
#   prefix  = 24
#   netmask = "255.255.255.0"
#   gateway = "192.0.2.1"
#   dns     = ["192.0.2.53"]
# }

guest_timezone = "Europe/Berlin"
