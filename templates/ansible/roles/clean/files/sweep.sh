#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:51:09Z
# Spec: openspec/specs/provisioning/spec.md#requirement-no-residue
# Diagram: openspec/specs/provisioning/diagram.md#from-the-installed-system-to-the-captured-image

# Removes what an installer left and prints each path that it removed: no output means nothing changed.
set -eu

remove() {
  for path in "$@"; do
    if [ -e "$path" ] || [ -L "$path" ]; then
      rm -rf -- "$path"
      printf '%s\n' "$path"
    fi
  done
}

# Package files that were downloaded.
remove /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*

# Answers and logs of the installers: they hold the build account's password hash.
remove /var/log/installer /root/preseed.cfg /root/anaconda-ks.cfg /root/original-ks.cfg

# The installer's first-boot data and network: the platform's agent brings the deployed machine's own.
remove /etc/cloud/cloud.cfg.d/50-curtin-networking.cfg /etc/cloud/cloud.cfg.d/90-installer-network.cfg \
  /etc/cloud/cloud.cfg.d/99-installer.cfg /etc/cloud/cloud.cfg.d/subiquity-disable-cloudinit-networking.cfg \
  /etc/ssh/sshd_config.d/50-cloud-init.conf /etc/cloud/cloud-init.disabled /etc/netplan/00-installer-config.yaml /etc/netplan/50-cloud-init.yaml

# Names bound to the build machine's own network card.
remove /etc/udev/rules.d/70-persistent-net.rules /etc/udev/rules.d/75-persistent-net-generator.rules
