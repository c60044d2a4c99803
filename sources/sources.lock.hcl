# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T00:14:47Z
# Spec: openspec/specs/sources/spec.md#requirement-the-lock-file
# Diagram: openspec/specs/sources/diagram.md#chain-of-trust

# The upstream repositories that this project follows, each at one commit.
# `packer-hybrid sources sync` fetches them, `sources status` checks them.

# Hosts that a URL below may name.
hosts = ["github.com"]

source "packer-plugin-proxmox" {
  url    = "https://github.com/hashicorp/packer-plugin-proxmox.git"
  tag    = "v1.2.3"
  commit = "a2115d2f3b46dbb08d9cef1c653c3368cd275bc3"
}

source "packer-plugin-vsphere" {
  url    = "https://github.com/hashicorp/packer-plugin-vsphere.git"
  tag    = "v1.4.2"
  commit = "a8d72f7b5a9031d72fd8ab753484b156a53374fb"
}

source "packer-plugin-azure" {
  url    = "https://github.com/hashicorp/packer-plugin-azure.git"
  tag    = "v2.5.0"
  commit = "4053630b8a7ebc9213e25b6c085ed5fef43b64d5"
}

# After its last tag; the commit alone is the pin.
source "packer-examples-for-vsphere" {
  url    = "https://github.com/vmware/packer-examples-for-vsphere"
  commit = "e71d2f5a32f7cedd5ce506f54123390c77961b5b"
}

source "proxmox-packer-examples" {
  url    = "https://github.com/ajschroeder/proxmox-packer-examples"
  tag    = "v1.0.0"
  commit = "e5c77bae80a7ac2293eef858dfb0fb2c19a82978"
}

# Packer plugins. `packer-hybrid sources lock PATH...` adds the sha256 of the
# binaries that a site uses, per OS_ARCH; several are fine, for a binary built
# from source differs with the Go version. Plugins that `make tools` builds are
# pinned by the go.sum of their tool module instead.

plugin "github.com/hashicorp/proxmox" {
  version = "1.2.3"
}

plugin "github.com/hashicorp/vsphere" {
  version = "1.4.2"
}

plugin "github.com/hashicorp/azure" {
  version = "2.5.0"
}
