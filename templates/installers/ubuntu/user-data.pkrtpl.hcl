#cloud-config
# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:49:03Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-one-description-of-the-installation
# Diagram: openspec/specs/image-recipes/diagram.md#from-one-description-to-an-installed-system

# Ubuntu's server installer (autoinstall), rendered from local.installer of from/iso.pkr.hcl.

autoinstall:
  version: 1
  locale: ${jsonencode(locale)}
  keyboard: { layout: ${jsonencode(keyboard)} }
  timezone: ${jsonencode(trimprefix(timezone, "Etc/"))}
%{ if mirror.proxy != "" ~}
  proxy: ${jsonencode(mirror.proxy)}
%{ endif ~}
  apt:
    geoip: false
    preserve_sources_list: false
    primary:
      - arches: [default]
        uri: ${jsonencode("http://${mirror.host}${mirror.directory}")}
  network:
    version: 2
    ethernets:
      build:
        match: { name: ${jsonencode(network.device == "" ? "e*" : network.device)} }
        dhcp4: ${network.dhcp}
%{ if !network.dhcp ~}
        addresses: [${jsonencode("${network.address}/${network.prefix}")}]
        routes: [{ to: default, via: ${jsonencode(network.gateway)} }]
        nameservers: { addresses: ${jsonencode(network.dns)} }
%{ endif ~}
  storage:
    config:
      - { id: disk, type: disk, path: ${jsonencode(device)}, ptable: gpt, wipe: superblock-recursive, grub_device: ${firmware == "bios"} }
%{ if firmware == "bios" ~}
      - { id: bios, type: partition, device: disk, number: 1, size: 1M, flag: bios_grub }
%{ else ~}
      - { id: efi, type: partition, device: disk, number: 1, size: 512M, flag: boot, grub_device: true }
      - { id: efi-fs, type: format, volume: efi, fstype: fat32 }
      - { id: efi-mount, type: mount, device: efi-fs, path: /boot/efi }
%{ endif ~}
%{ for i, p in disks.partitions ~}
      - { id: part-${p.name}, type: partition, device: disk, number: ${i + 2}, size: ${p.size_mb}M }
      - { id: part-${p.name}-fs, type: format, volume: part-${p.name}, fstype: ${p.filesystem} }
      - { id: part-${p.name}-mount, type: mount, device: part-${p.name}-fs, path: ${p.mount} }
%{ endfor ~}
      - { id: pv, type: partition, device: disk, number: ${length(disks.partitions) + 2}, size: -1 }
      - { id: vg, type: lvm_volgroup, name: ${disks.volume_group}, devices: [pv] }
%{ for v in concat([for x in disks.volumes : x if x.size_mb != -1], [for x in disks.volumes : x if x.size_mb == -1]) ~}
      - { id: lv-${v.name}, type: lvm_partition, volgroup: vg, name: ${v.name}, size: ${v.size_mb == -1 ? "-1" : "${v.size_mb}M"} }
      - { id: lv-${v.name}-fs, type: format, volume: lv-${v.name}, fstype: ${v.filesystem} }
%{ if v.filesystem == "swap" ~}
      - { id: lv-${v.name}-mount, type: mount, device: lv-${v.name}-fs, path: "" }
%{ else ~}
      - { id: lv-${v.name}-mount, type: mount, device: lv-${v.name}-fs, path: ${v.mount} }
%{ endif ~}
%{ endfor ~}
  # The build account only; it is removed before the image is captured.
%{ if password_encrypted != "" ~}
  identity:
    hostname: ${jsonencode(hostname)}
    username: ${jsonencode(username)}
    password: ${jsonencode(password_encrypted)}
%{ else ~}
  user-data:
    hostname: ${jsonencode(hostname)}
    users:
      - name: ${jsonencode(username)}
        lock_passwd: false
        shell: /bin/bash
        plain_text_passwd: ${jsonencode(password)}
%{ endif ~}
  ssh:
    install-server: true
    allow-pw: true
  packages: ${jsonencode(packages)}
  updates: security
  early-commands:
    # The live system's own SSH server must not be taken for the installed one.
    - systemctl stop ssh || true
  late-commands:
    - echo '${username} ALL=(ALL) NOPASSWD:ALL' > /target/etc/sudoers.d/90-packer-build
    - chmod 0440 /target/etc/sudoers.d/90-packer-build
