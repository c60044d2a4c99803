#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:51:09Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-build-account-leaves-last
# Diagram: openspec/specs/provisioning/diagram.md#from-the-installed-system-to-the-captured-image

# The last step in the guest, run as root: packer-hybrid-finish BUILD_USER
#
# It removes what each login leaves again, and the build account. scripts/linux/residue.py runs it and then looks
# for what is left; the platform powers off. A failure is the provisioner's: it never becomes an image.
set -eu
# The connection of the account that is removed may break; the work goes on.
trap '' HUP PIPE

user=${1:?usage: finish BUILD_USER}
if [ "$user" = root ]; then
  echo "finish: root is not a build account" >&2
  exit 1
fi

# What would write again what is removed below: logs, the state of Azure's agent, and the random seed, which its
# service saves when it stops, at the power-off otherwise.
if command -v systemctl >/dev/null; then
  systemctl stop syslog.socket rsyslog.service walinuxagent.service waagent.service systemd-random-seed.service >/dev/null 2>&1 || true
fi

# Identity of this machine: the deployed one makes its own.
rm -f /etc/ssh/ssh_host_*
: >/etc/machine-id
if [ ! -L /var/lib/dbus/machine-id ]; then rm -f /var/lib/dbus/machine-id; fi
rm -f /var/lib/systemd/random-seed /var/lib/systemd/credential.secret /var/lib/urandom/random-seed
rm -f /boot/loader/random-seed /boot/efi/loader/random-seed /efi/loader/random-seed
rm -rf /var/lib/cloud/instance /var/lib/cloud/instances /var/lib/cloud/data /var/lib/cloud/sem /var/lib/cloud/seed
rm -rf /var/lib/waagent/*
rm -rf /var/lib/dhcp/* /var/lib/NetworkManager/*.lease /var/lib/systemd/network/*

# What the package manager can fetch again.
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb

# The build account. Its session may still be open, hence -f.
for rules in /etc/sudoers.d/*; do
  # Only files in which every rule is the build account's.
  if grep -Eq "^${user}[[:space:]]" "$rules" && ! grep -Evq "^(#.*|${user}[[:space:]].*)?\$" "$rules"; then
    rm -f -- "$rules"
  fi
done
if getent passwd "$user" >/dev/null; then
  userdel -f -r "$user" 2>/dev/null || true
fi
if getent passwd "$user" >/dev/null; then
  echo "finish: the build account $user could not be removed" >&2
  exit 1
fi
if getent group "$user" >/dev/null; then groupdel "$user"; fi
# The copies that the tools keep still hold the password hash.
rm -f /etc/passwd- /etc/shadow- /etc/group- /etc/gshadow- /etc/subuid- /etc/subgid-
rm -f /var/cache/debconf/passwords.dat-old
rm -f /var/backups/passwd* /var/backups/shadow* /var/backups/group* /var/backups/gshadow* /var/backups/subuid* /var/backups/subgid*
rm -f "/var/mail/$user" "/var/spool/cron/crontabs/$user" "/var/lib/systemd/linger/$user"

# Traces of the work.
for home in /root /home/*; do
  for name in .bash_history .zsh_history .ash_history .history .python_history .mysql_history .lesshst .viminfo .wget-hsts .sudo_as_admin_successful; do
    rm -f -- "$home/$name"
  done
  rm -rf -- "$home/.ansible" "$home/.ansible_async" "$home/.cache"
done
# Folders that a running service holds may refuse; they are gone after the power-off.
find /tmp /var/tmp -xdev -mindepth 1 -delete 2>/dev/null || true

# Logs, last: rotated ones go, those that a package created stay, empty.
find /var/log -type f \( -name '*.gz' -o -name '*.xz' -o -name '*.[0-9]' -o -name '*.old' \) -delete
journalctl --relinquish-var >/dev/null 2>&1 || true
rm -rf /var/log/journal/* /var/log/installer
find /var/log -type f -exec truncate -s 0 {} +

rm -f /usr/local/sbin/packer-hybrid-finish
sync
