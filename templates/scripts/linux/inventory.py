#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:52:48Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads

"""Writes the inventory of this machine as one JSON document, so that two images can be compared.

Needs root and Python 3.6 with its standard library, and changes nothing. The same system gives the same
bytes: everything is sorted, and what differs between two boots (times, process numbers, free space) is not
read. No password, hash or key is written. A section that cannot be read is an entry of "errors".
"""

import argparse
import base64
import glob
import grp
import hashlib
import json
import os
import platform
import pwd
import re
import socket
import stat
import subprocess
import sys
import tempfile

FORMAT = 1

# Files whose content decides how the system behaves. Host keys, machine-id and other identities are left out.
MANAGED = ["/etc/" + name for name in """
    apt/apt.conf.d/* apt/preferences.d/* apt/sources.list apt/sources.list.d/* audit/** bash.bashrc chrony/**
    chrony.conf cloud/cloud.cfg cloud/cloud.cfg.d/* cron.*/* crontab default/* default/grub.d/* dnf/dnf.conf
    ld.so.preload localtime login.defs modprobe.d/* modules-load.d/* nftables.conf nsswitch.conf pam.d/* profile
    profile.d/* security/*.conf security/limits.d/* ssh/ssh_config ssh/ssh_config.d/* ssh/sshd_config
    ssh/sshd_config.d/* sudoers sudoers.d/* sysctl.conf sysctl.d/* systemd/*.conf systemd/*.conf.d/*
    systemd/system/* systemd/system/*.d/* timezone tmpfiles.d/* udev/rules.d/* yum.repos.d/*
""".split()] + ["/home/*/.ssh/authorized_keys", "/root/.ssh/authorized_keys"]
SYSCTL_FILES = ["/usr/lib/sysctl.d/*.conf", "/run/sysctl.d/*.conf", "/etc/sysctl.d/*.conf", "/etc/sysctl.conf"]
CA_BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"]


class Unreadable(Exception):
    """A section, or a part of one, cannot be read; the text says why."""


def run(*command):
    """Returns what the command prints; Unreadable if it is missing or fails."""
    environment = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, timeout=120)
    except OSError as problem:
        raise Unreadable("%s: %s" % (command[0], problem.strerror))
    except subprocess.TimeoutExpired:
        raise Unreadable("%s: no answer in 120 s" % command[0])
    if done.returncode != 0:
        message = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        raise Unreadable("%s: exit %d: %s" % (command[0], done.returncode, message[-1]))
    return done.stdout.decode("utf-8", "replace")


def read(path):
    """Returns a text file; Unreadable names the file and the reason."""
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read()
    except OSError as problem:
        raise Unreadable("%s: %s" % (path, problem.strerror))


def expand(patterns):
    """Returns the files that match, sorted, each once. `**` matches at any depth."""
    found = set()
    for pattern in patterns:
        found.update(path for path in glob.glob(pattern, recursive=True) if os.path.islink(path) or os.path.isfile(path))
    return sorted(found)


def assignments(text, quotes=False):
    """Returns the `key = value` lines of a text, without comments."""
    values = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.lstrip().startswith(("#", ";")):
            value = value.strip()
            values[key.strip().lstrip("-")] = value.strip("\"'") if quotes else value
    return values


def os_release(_):
    return assignments(read("/etc/os-release"), quotes=True)


def kernel(_):
    return {
        "architecture": platform.machine(),
        "installed": sorted(os.path.basename(path)[len("vmlinuz-"):] for path in glob.glob("/boot/vmlinuz-*")),
        "running": platform.release(),
    }


def packages(_):
    """Every installed package of dpkg and of rpm."""
    managers = {
        "dpkg": ("/var/lib/dpkg/status", "dpkg-query", "-W", "-f", "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n"),
        "rpm": ("/var/lib/rpm", "rpm", "-qa", "--qf", "installed\t%{NAME}\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\t%{ARCH}\n"),
    }
    found = []
    present = [manager for manager in sorted(managers) if os.path.exists(managers[manager][0])]
    if not present:
        raise Unreadable("no package database: neither dpkg nor rpm")
    for manager in present:
        for line in run(*managers[manager][1:]).splitlines():
            status, name, version, architecture = line.split("\t")
            if status == "installed":
                found.append({"architecture": architecture, "manager": manager, "name": name, "version": version})
    return sorted(found, key=lambda package: (package["name"], package["architecture"], package["version"]))


def units(_):
    """What systemd starts by its links, without asking a running systemd."""
    top = "/etc/systemd/system"
    if not os.path.isdir(top):
        raise Unreadable("%s: no such folder" % top)
    enabled, masked = set(), set()
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) and os.readlink(path) == "/dev/null":
                masked.add(name)
            elif folder.endswith((".wants", ".requires", ".upholds")):
                enabled.add(name)
    default = os.path.join(top, "default.target")
    if not os.path.islink(default):
        default = "/usr/lib/systemd/system/default.target"
    return {"default": os.path.basename(os.readlink(default)), "enabled": sorted(enabled), "masked": sorted(masked)}


def password_state(field):
    """Says what can be done with a password field of /etc/shadow, never what it holds."""
    if field == "":
        return "empty"
    return "locked" if field.startswith(("!", "*")) else "set"


def users(transient):
    shadow = {line.split(":")[0]: line.split(":")[1] for line in read("/etc/shadow").splitlines() if ":" in line}
    return [
        {
            "gid": user.pw_gid, "groups": sorted(g.gr_name for g in grp.getgrall() if user.pw_name in g.gr_mem),
            "home": user.pw_dir, "name": user.pw_name, "password": password_state(shadow.get(user.pw_name, "!")),
            "shell": user.pw_shell, "uid": user.pw_uid,
        }
        for user in sorted(pwd.getpwall(), key=lambda user: user.pw_name) if user.pw_name not in transient
    ]


def groups(transient):
    return [
        {"gid": group.gr_gid, "members": sorted(set(group.gr_mem) - transient), "name": group.gr_name}
        for group in sorted(grp.getgrall(), key=lambda group: group.gr_name) if group.gr_name not in transient
    ]


def sshd(_):
    """The settings that sshd would use, its defaults included."""
    made = not os.path.isdir("/run/sshd")
    try:
        if made:
            os.mkdir("/run/sshd", 0o755)
        if glob.glob("/etc/ssh/ssh_host_*_key"):
            text = run("sshd", "-T")
        else:
            with tempfile.TemporaryDirectory() as folder:
                key = os.path.join(folder, "key")
                run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
                text = run("sshd", "-T", "-h", key)
    finally:
        if made:
            os.rmdir("/run/sshd")
    settings = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        settings.setdefault(name, []).append(value)
    settings.pop("hostkey", None)
    return {name: sorted(values) for name, values in settings.items()}


def sysctl(_):
    """The settings of each file, and what the running kernel says to each name."""
    files, values = {}, {}
    for path in filter(os.path.isfile, expand(SYSCTL_FILES)):
        files[path] = assignments(read(path))
    for name in {name for settings in files.values() for name in settings}:
        path = "/proc/sys/" + (name if "/" in name else name.replace(".", "/"))
        if not set(name) & set("*?[") and os.path.isfile(path):
            try:
                values[name] = read(path).strip().replace("\t", " ")
            except Unreadable:
                values[name] = None
    return {"files": files, "values": values}


def certificates(_):
    """SHA-256 fingerprints of the certificates that this system trusts."""
    bundle = next(filter(os.path.isfile, CA_BUNDLES), CA_BUNDLES[0])
    blocks = re.findall("-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", read(bundle), re.DOTALL)
    return sorted({hashlib.sha256(base64.b64decode(block)).hexdigest() for block in blocks})


def processes():
    """Maps the inode of each open socket to the name of a process that holds it."""
    owners = {}
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            with open(folder + "/comm", encoding="utf-8", errors="replace") as handle:
                name = handle.read().strip()
            for link in os.listdir(folder + "/fd"):
                target = os.readlink(folder + "/fd/" + link)
                if target.startswith("socket:["):
                    owners[target[8:-1]] = min(name, owners.get(target[8:-1], name))
        except OSError:
            continue  # the process has ended
    return owners


def address(text):
    """Turns /proc/net's hexadecimal address into the usual form."""
    raw = b"".join(bytes.fromhex(text[i:i + 8])[::-1] for i in range(0, len(text), 8))
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def listening(_):
    owners, found = processes(), set()
    for protocol, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        path = "/proc/net/" + protocol
        if not os.path.exists(path) and protocol.endswith("6"):
            continue  # IPv6 is off
        for line in read(path).splitlines()[1:]:
            fields = line.split()
            host, port = fields[1].split(":")
            if fields[3] == state:
                found.add((protocol, address(host), int(port, 16), owners.get(fields[9], "")))
    return [{"address": a, "port": n, "process": p, "protocol": t} for t, a, n, p in sorted(found)]


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


def build_rules(transient):
    """Returns the files of sudo rules in which every rule is a transient account's: the finish script removes them."""
    found = set()
    for path in glob.glob("/etc/sudoers.d/*") if transient else []:
        rules = [line.split() for line in read(path).splitlines() if line.strip() and not line.startswith("#")]
        if rules and all(rule[0] in transient for rule in rules):
            found.add(path)
    return sorted(found)


def name_of(lookup, number):
    """Returns the name of a user or group number, or the number where it has none."""
    try:
        return lookup(number)[0]
    except KeyError:
        return str(number)


def filesystems(_):
    """What is mounted from disks, and what fstab asks for, without device names: they are this machine's own."""
    mounts, table = set(), []
    for line in read("/proc/self/mounts").splitlines():
        device, point, kind = line.split()[:3]
        if device.startswith("/dev/"):
            mounts.add((point, kind))
    for line in read("/etc/fstab").splitlines():
        fields = line.split()
        if len(fields) >= 4 and not fields[0].startswith("#"):
            table.append({"mount": fields[1], "options": fields[3], "type": fields[2]})
    return {
        "fstab": sorted(table, key=lambda entry: (entry["mount"], entry["type"])),
        "mounts": [{"mount": point, "type": kind} for point, kind in sorted(mounts)],
    }


def image(_):
    return assignments(read("/etc/image-release"))


SECTIONS = [
    image, os_release, kernel, packages, units, users, groups, sshd, sysctl, certificates, listening, files, filesystems,
]


def collect(transient):
    """Returns the inventory. `transient` are accounts that the last step removes: they are listed, not described."""
    document = {"errors": [], "format": FORMAT, "transient": {"files": build_rules(transient), "users": sorted(transient)}}
    for section in SECTIONS:
        try:
            document[section.__name__] = section(transient)
        except (Unreadable, OSError, ValueError, IndexError) as problem:
            document[section.__name__] = None
            document["errors"].append({"message": str(problem), "section": section.__name__})
    return document


def main():
    parser = argparse.ArgumentParser(description="Writes the inventory of this machine as JSON.")
    parser.add_argument("--output", metavar="FILE", help="write to FILE and print a summary (default: print the JSON)")
    parser.add_argument("--transient-user", metavar="NAME", action="append", default=[], help="account that will be removed")
    options = parser.parse_args()
    document = collect(set(options.transient_user))
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    if not options.output:
        sys.stdout.write(text)
        return
    handle, partial = tempfile.mkstemp(dir=os.path.dirname(os.path.abspath(options.output)))
    with os.fdopen(handle, "w", encoding="utf-8") as output:
        output.write(text)
    os.chmod(partial, 0o644)  # the build account downloads it; there is nothing secret in it
    os.replace(partial, options.output)
    print("inventory: %d packages, %d accounts, %d managed files, %d sections unreadable" % (
        len(document["packages"] or []), len(document["users"] or []), len(document["files"] or []), len(document["errors"])))
    for problem in document["errors"]:
        print("inventory: %(section)s: %(message)s" % problem)


if __name__ == "__main__":
    main()
