# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:24:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads

import grp
import hashlib
import os
import pwd
import stat

# Files whose content decides how the system behaves. Host keys, machine-id and other identities are left out.
MANAGED = ["/etc/" + name for name in """
    apt/apt.conf.d/* apt/preferences.d/* apt/sources.list apt/sources.list.d/* audit/** bash.bashrc chrony/**
    chrony.conf cloud/cloud.cfg cloud/cloud.cfg.d/* cron.*/* crontab default/* default/grub.d/* dnf/dnf.conf
    ld.so.preload localtime login.defs modprobe.d/* modules-load.d/* nftables.conf nsswitch.conf pam.d/* profile
    profile.d/* security/*.conf security/limits.d/* ssh/ssh_config ssh/ssh_config.d/* ssh/sshd_config
    ssh/sshd_config.d/* sudoers sudoers.d/* sysctl.conf sysctl.d/* systemd/*.conf systemd/*.conf.d/*
    systemd/system/* systemd/system/*.d/* timezone tmpfiles.d/* udev/rules.d/* yum.repos.d/*
""".split()] + ["/home/*/.ssh/authorized_keys", "/root/.ssh/authorized_keys"]


@section
def files(transient):
    """Digest, mode and owner of each managed file; of a link, where it points."""
    found = {}
    leaving = build_rules(transient)
    for path in expand(MANAGED):
        if path in leaving or any(path.startswith("/home/%s/" % user) for user in transient):
            continue
        about = os.lstat(path)
        entry = {"group": name_of(grp.getgrgid, about.st_gid), "owner": name_of(pwd.getpwuid, about.st_uid)}
        if stat.S_ISLNK(about.st_mode):
            entry["link"] = os.readlink(path)
        else:
            entry["mode"] = "%04o" % stat.S_IMODE(about.st_mode)
            with open(path, "rb") as handle:
                entry["sha256"] = hashlib.sha256(handle.read()).hexdigest()
        found[path] = entry
    return found


def name_of(lookup, number):
    """Returns the name of a user or group number, or the number where it has none."""
    try:
        return lookup(number)[0]
    except KeyError:
        return str(number)
