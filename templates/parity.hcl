# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T00:20:47Z
# Spec: openspec/specs/parity/spec.md#requirement-reviewed-allow-list
# Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

# What may differ between the images of one recipe, and nothing else. Each entry takes its keys out of the
# platforms that it names (`absent = true`: out of all the others); what then remains must be equal.
# In a key, * stands for any text. An entry that no longer matches anything is reported as stale.

policy = "block" # an unexpected difference ends a build with exit code 3; "warn" only reports it

# vSphere: the address of a guest, its shutdown and its customisation go through the tools.
allow "packages" "open-vm-tools" {
  platforms = ["vsphere"]
  reason    = "the guest agent of vSphere"
  owner     = "platform team"
}

allow "packages" "libdrm*" {
  platforms = ["vsphere"]
  reason    = "a dependency of open-vm-tools"
  owner     = "platform team"
}

allow "packages" "libfuse3-3" {
  platforms = ["vsphere"]
  reason    = "a dependency of open-vm-tools"
  owner     = "platform team"
}

allow "packages" "libicu*" {
  platforms = ["vsphere"]
  reason    = "a dependency of open-vm-tools"
  owner     = "platform team"
}

allow "packages" "libmspack0" {
  platforms = ["vsphere"]
  reason    = "a dependency of open-vm-tools"
  owner     = "platform team"
}

allow "packages" "libpci3" {
  platforms = ["vsphere"]
  reason    = "a dependency of open-vm-tools"
  owner     = "platform team"
}

allow "packages" "libxml2" {
  platforms = ["vsphere"]
  reason    = "a dependency of open-vm-tools"
  owner     = "platform team"
}

allow "packages" "libxmlsec1*" {
  platforms = ["vsphere"]
  reason    = "a dependency of open-vm-tools"
  owner     = "platform team"
}

allow "packages" "libxslt1.1" {
  platforms = ["vsphere"]
  reason    = "a dependency of open-vm-tools"
  owner     = "platform team"
}

allow "packages" "pci.ids" {
  platforms = ["vsphere"]
  reason    = "a dependency of open-vm-tools"
  owner     = "platform team"
}

allow "packages" "pciutils" {
  platforms = ["vsphere"]
  reason    = "a dependency of open-vm-tools"
  owner     = "platform team"
}

allow "packages" "libglib2.0-0*" {
  platforms = ["proxmox", "vsphere"]
  reason    = "a dependency of qemu-guest-agent and open-vm-tools"
  owner     = "platform team"
}

allow "units" "open-vm-tools.service" {
  platforms = ["vsphere"]
  reason    = "starts the guest agent"
  owner     = "platform team"
}

allow "units" "vgauth.service" {
  platforms = ["vsphere"]
  reason    = "comes with open-vm-tools"
  owner     = "platform team"
}

# What a package brings as it is need not be named: it is allowed with its package. These links are made when it is installed.
allow "files" "/etc/systemd/system/*open-vm-tools.service*" {
  platforms = ["vsphere"]
  reason    = "starts the guest agent"
  owner     = "platform team"
}

allow "files" "/etc/rc*.d/*open-vm-tools" {
  platforms = ["vsphere"]
  reason    = "starts the guest agent where there is no systemd"
  owner     = "platform team"
}

allow "files" "/etc/systemd/system/vmtoolsd.service" {
  platforms = ["vsphere"]
  reason    = "the unit's second name, made by open-vm-tools"
  owner     = "platform team"
}

# Proxmox VE: address and shutdown go through the agent.
allow "packages" "qemu-guest-agent" {
  platforms = ["proxmox"]
  reason    = "the guest agent of Proxmox VE"
  owner     = "platform team"
}

allow "packages" "libnuma1" {
  platforms = ["proxmox"]
  reason    = "a dependency of qemu-guest-agent"
  owner     = "platform team"
}

allow "packages" "liburing2" {
  platforms = ["proxmox"]
  reason    = "a dependency of qemu-guest-agent"
  owner     = "platform team"
}

allow "files" "/etc/rc*.d/*qemu-guest-agent" {
  platforms = ["proxmox"]
  reason    = "starts the guest agent where there is no systemd"
  owner     = "platform team"
}

# Azure: the agent provisions the machine and reports that it is ready.
allow "packages" "wa*agent" {
  platforms = ["azure"]
  reason    = "the guest agent of Azure: waagent in Debian, walinuxagent in Ubuntu"
  owner     = "platform team"
}

allow "packages" "python3-distro" {
  platforms = ["azure"]
  reason    = "a dependency of the guest agent"
  owner     = "platform team"
}

allow "units" "walinuxagent.service" {
  platforms = ["azure"]
  reason    = "starts the guest agent"
  owner     = "platform team"
}

allow "files" "/etc/systemd/system/*/walinuxagent.service" {
  platforms = ["azure"]
  reason    = "starts the guest agent"
  owner     = "platform team"
}

allow "files" "/etc/rc*.d/*walinuxagent" {
  platforms = ["azure"]
  reason    = "starts the guest agent where there is no systemd"
  owner     = "platform team"
}

# Each platform hands its instance data over in its own way.
allow "files" "/etc/cloud/cloud.cfg.d/90-platform.cfg" {
  platforms = ["azure", "proxmox", "vsphere"]
  reason    = "the data source that cloud-init reads"
  owner     = "platform team"
}
