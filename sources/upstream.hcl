# SPDX-License-Identifier: Apache-2.0
# Created: 2026-12-01T15:45:00Z
# Spec: openspec/specs/sources/spec.md#requirement-what-is-asked-of-publishers
# Diagram: openspec/specs/drift/diagram.md#one-look

# Whom `packer-hybrid drift --upstream` asks, beside the repositories of sources.lock.hcl. Addresses are https, without a redirect;
# write those of a mirror where these cannot be reached.

# Checksums of installation media: is the file that iso_file names still published, and is it that of iso_checksum, where templates
# declare that variable ("sha256:…" or "sha512:…").

medium "debian-12" {
  family    = "debian"
  version   = "12"
  checksums = "https://cdimage.debian.org/cdimage/archive/latest-oldstable/amd64/iso-cd/SHA512SUMS"
}

medium "ubuntu-24.04" {
  family    = "ubuntu"
  version   = "24.04"
  checksums = "https://releases.ubuntu.com/24.04/SHA256SUMS"
}

# Releases: of an index in the form of releases.hashicorp.com, or the tags of a repository.

release "packer" {
  index = "https://releases.hashicorp.com/packer/index.json"
}

release "github.com/hashicorp/proxmox" {
  tags = "https://github.com/hashicorp/packer-plugin-proxmox.git"
}

release "github.com/hashicorp/vsphere" {
  tags = "https://github.com/hashicorp/packer-plugin-vsphere.git"
}

release "github.com/hashicorp/azure" {
  tags = "https://github.com/hashicorp/packer-plugin-azure.git"
}
