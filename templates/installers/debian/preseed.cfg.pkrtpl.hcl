# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:49:03Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-one-description-of-the-installation
# Diagram: openspec/specs/image-recipes/diagram.md#from-one-description-to-an-installed-system

# Debian installer, rendered from local.installer of from/iso.pkr.hcl.

d-i debian-installer/locale string ${locale}
d-i keyboard-configuration/xkb-keymap select ${keyboard}

d-i netcfg/choose_interface select %{ if network.device == "" }auto%{ else }${network.device}%{ endif }
d-i netcfg/get_hostname string ${hostname}
d-i netcfg/get_domain string
d-i netcfg/hostname string ${hostname}
%{ if !network.dhcp ~}
d-i netcfg/disable_autoconfig boolean true
d-i netcfg/get_ipaddress string ${network.address}
d-i netcfg/get_netmask string ${network.netmask}
d-i netcfg/get_gateway string ${network.gateway}
d-i netcfg/get_nameservers string ${join(" ", network.dns)}
d-i netcfg/confirm_static boolean true
%{ endif ~}

d-i mirror/country string manual
d-i mirror/protocol string http
d-i mirror/http/hostname string ${mirror.host}
d-i mirror/http/directory string ${mirror.directory}
d-i mirror/http/proxy string ${mirror.proxy}
d-i apt-setup/services-select multiselect security, updates
d-i apt-setup/cdrom/set-first boolean false
d-i apt-setup/disable-cdrom-entries boolean true

d-i clock-setup/utc boolean true
d-i clock-setup/ntp boolean true
d-i time/zone string ${timezone}

# The build account only; it is removed before the image is captured. Root cannot log in with a password.
d-i passwd/root-login boolean false
d-i passwd/user-fullname string
d-i passwd/username string ${username}
%{ if password_encrypted != "" ~}
d-i passwd/user-password-crypted password ${password_encrypted}
%{ else ~}
d-i passwd/user-password password ${password}
d-i passwd/user-password-again password ${password}
d-i user-setup/allow-password-weak boolean true
%{ endif ~}

d-i partman-auto/disk string ${device}
d-i partman-auto/method string lvm
d-i partman-auto-lvm/guided_size string max
d-i partman-auto-lvm/new_vg_name string ${disks.volume_group}
d-i partman-lvm/device_remove_lvm boolean true
d-i partman-md/device_remove_md boolean true
d-i partman-lvm/confirm boolean true
d-i partman-lvm/confirm_nooverwrite boolean true
d-i partman-partitioning/choose_label select gpt
d-i partman-partitioning/default_label string gpt
d-i partman-partitioning/confirm_write_new_label boolean true
%{ if firmware != "bios" ~}
d-i partman-efi/non_efi_system boolean true
%{ endif ~}
d-i partman-auto/choose_recipe select image
d-i partman-auto/expert_recipe string image :: \
%{ if firmware == "bios" ~}
  1 1 1 free $iflabel{ gpt } $reusemethod{ } method{ biosgrub } . \
%{ else ~}
  512 512 512 fat32 $primary{ } $iflabel{ gpt } $reusemethod{ } method{ efi } format{ } . \
%{ endif ~}
%{ for p in disks.partitions ~}
  ${p.size_mb} ${p.size_mb} ${p.size_mb} ${p.filesystem} $primary{ } $bootable{ } method{ format } format{ } use_filesystem{ } filesystem{ ${p.filesystem} } mountpoint{ ${p.mount} } label{ ${p.name} } . \
%{ endfor ~}
  1024 1024 -1 ext4 $defaultignore{ } $primary{ } method{ lvm } device{ ${device} } vg_name{ ${disks.volume_group} } . \
%{ for v in disks.volumes ~}
%{ if v.filesystem == "swap" ~}
  ${v.size_mb} ${v.size_mb} ${v.size_mb} linux-swap $lvmok{ } in_vg{ ${disks.volume_group} } lv_name{ ${v.name} } method{ swap } format{ } . \
%{ else ~}
  ${v.size_mb == -1 ? 4096 : v.size_mb} ${v.size_mb == -1 ? 4096 : v.size_mb} ${v.size_mb} ${v.filesystem} $lvmok{ } in_vg{ ${disks.volume_group} } lv_name{ ${v.name} } method{ format } format{ } use_filesystem{ } filesystem{ ${v.filesystem} } mountpoint{ ${v.mount} } . \
%{ endif ~}
%{ endfor ~}

d-i partman-partitioning/confirm_write_new_label boolean true
d-i partman/choose_partition select finish
d-i partman/confirm boolean true
d-i partman/confirm_nooverwrite boolean true
d-i partman-basicfilesystems/no_swap boolean false

d-i pkgsel/run_tasksel boolean false
d-i pkgsel/include string ${join(" ", packages)}
d-i pkgsel/upgrade select none
popularity-contest popularity-contest/participate boolean false

d-i grub-installer/only_debian boolean true
d-i grub-installer/bootdev string ${device}
# A deployed copy starts with empty firmware variables: the loader must also lie on the removable-media path.
d-i grub-installer/force-efi-extra-removable boolean true

# The second CD held this file; free the drive before the installer looks for media again.
d-i preseed/early_command string umount /media 2>/dev/null && echo 1 > /sys/block/sr1/device/delete || true
d-i preseed/late_command string \
  echo '${username} ALL=(ALL) NOPASSWD: ALL' > /target/etc/sudoers.d/90-packer-build ; \
  chmod 0440 /target/etc/sudoers.d/90-packer-build

d-i cdrom-detect/eject boolean true
d-i finish-install/reboot_in_progress note
