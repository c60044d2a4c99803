#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:47:30Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-residue-check
# Diagram: openspec/specs/provisioning/diagram.md#the-last-step

"""Runs the last step of a build in the guest, then looks for what a golden image must not hold.

Needs root and Python 3.6 with its standard library. The build's password is read from standard input, never
from the command line, and is never printed. Each finding is one line, "residue: " and a JSON object; the last
one counts. Exit code 3: something is left that must not be.
"""

import argparse
import base64
import ctypes
import glob
import json
import os
import pwd
import re
import stat
import subprocess
import sys
import urllib.parse

FINISH = "clean: files/finish.sh"
SWEEP = "clean: files/sweep.sh"
USERS = "users"
BLOCKED = 3

# The search for secrets: where, and its bounds. What is not searched is said.
SEARCHED = [
    "/etc", "/root", "/home", "/opt", "/usr/local", "/var/backups", "/var/cache/debconf", "/var/lib/cloud",
    "/var/lib/waagent", "/var/log", "/var/mail", "/var/spool", "/var/tmp",
]
MAX_FILES, MAX_FILE, MAX_BYTES = 50000, 32 << 20, 1 << 30
MIN_SECRET = 6  # shorter texts are found everywhere by chance
MAX_FINDINGS = 100

# Files that one reason covers: kind, what it is, who removes it, patterns, whether an empty file counts.
FILES = [
    ("host-key", "an SSH host key of the build machine", FINISH, ["/etc/ssh/ssh_host_*"], True),
    ("random-seed", "a random seed that every copy would share", FINISH, [
        "/var/lib/systemd/random-seed", "/var/lib/urandom/random-seed", "/var/lib/systemd/credential.secret",
        "/boot/loader/random-seed", "/boot/efi/loader/random-seed", "/efi/loader/random-seed"], True),
    ("first-boot", "state of cloud-init's first boot: a copy would not run it again", FINISH, [
        "/var/lib/cloud/instance", "/var/lib/cloud/instances/*", "/var/lib/cloud/data/*", "/var/lib/cloud/sem/*"], True),
    ("seed", "an installer's or cloud-init's answers", SWEEP, [
        "/var/lib/cloud/seed/*", "/root/preseed*", "/preseed.cfg", "/root/*ks.cfg", "/root/*-ks.cfg", "/ks.cfg",
        "/autoinstall.yaml", "/autoinstall.yml", "/root/autoinst*", "/var/adm/autoinstall/*", "/root/user-data", "/var/log/installer/autoinstall*",
        "/etc/cloud/cloud.cfg.d/99-installer.cfg", "/etc/cloud/cloud.cfg.d/*curtin*", "/etc/cloud/cloud.cfg.d/90-installer-network.cfg",
        "/etc/cloud/cloud.cfg.d/subiquity*", "/etc/cloud/cloud-init.disabled"], True),
    ("installer-log", "a log of the installer", SWEEP, ["/var/log/installer", "/var/log/anaconda", "/var/log/YaST2", "/root/install.log*"], True),
    ("network", "a name or address bound to the build machine's network card", SWEEP, [
        "/etc/udev/rules.d/*persistent-net*", "/etc/udev/rules.d/75-persistent-net-generator.rules",
        "/etc/netplan/00-installer-config.yaml", "/etc/netplan/50-cloud-init.yaml", "/etc/network/interfaces.d/50-cloud-init*"], True),
    ("lease", "a DHCP lease of the build machine", FINISH, [
        "/var/lib/dhcp/*", "/var/lib/dhcp3/*", "/var/lib/dhclient/*", "/var/lib/dhcpcd/*", "/var/lib/NetworkManager/*.lease",
        "/var/lib/systemd/network/*"], False),
    ("agent", "what Azure's agent was given for the build machine", FINISH, [
        "/var/lib/waagent/ovf-env.xml", "/var/lib/waagent/provisioned", "/var/lib/waagent/*.prv", "/var/lib/waagent/*.crt",
        "/var/lib/waagent/*.p7m", "/var/lib/waagent/*.xml"], True),
    ("last-step", "the script of the last step", FINISH, ["/usr/local/sbin/packer-hybrid-finish"], True),
]
HISTORIES = [".bash_history", ".zsh_history", ".ash_history", ".history", ".python_history", ".lesshst", ".viminfo", ".wget-hsts", ".mysql_history"]
TRACES = [".ansible", ".ansible_async", ".cache", ".sudo_as_admin_successful"]
CACHES = ["/var/lib/apt/lists/*_*", "/var/cache/apt/*.bin", "/var/cache/apt/archives/*.deb", "/var/cache/dnf/*", "/var/cache/yum/*", "/var/cache/zypp/*/*"]
# Left by Packer and Ansible, and what running services always have there.
TOOLS = re.compile(r"^(packer|script_\d|varfile_|ansible|\.ansible)")
SERVICES = re.compile(r"^(systemd-private-|\.(X11|ICE|XIM|font|Test)-unix$|vmware-root|snap-private-tmp$|hsperfdata_)")


class Report:
    """What was found. No text in it holds a secret."""

    def __init__(self, secrets):
        self.secrets, self.findings, self.seen = secrets, [], set()

    def add(self, kind, path, what, role, severity="error"):
        path = os.fsencode(path)
        for secret in self.secrets:
            path = path.replace(secret, b"***")
        path = os.fsdecode(path)
        if (kind, path) not in self.seen:
            self.seen.add((kind, path))
            self.findings.append({"kind": kind, "path": path, "what": what, "role": role, "severity": severity})

    def print(self):
        """Prints the worst first, and returns how many must not be."""
        left = sum(found["severity"] == "error" for found in self.findings)
        order = sorted(self.findings, key=lambda found: (found["severity"] != "error", found["kind"], found["path"]))
        for found in order[:MAX_FINDINGS]:
            print("residue: " + json.dumps(found, sort_keys=True))
        print("residue: " + json.dumps({"left": left, "warnings": len(self.findings) - left}, sort_keys=True), flush=True)
        return left


def lines(path):
    """Returns the lines of a file that may be missing."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read().splitlines()
    except OSError:
        return []


def hashes():
    """Maps accounts to the password fields of /etc/shadow."""
    return {fields[0]: fields[1] for fields in (line.split(":") for line in lines("/etc/shadow")) if len(fields) > 1}


def keys_of(path):
    """Returns the key material of an authorized_keys file."""
    return {word for line in lines(path) if not line.lstrip().startswith("#") for word in line.split() if word.startswith("AAAA")}


def homes():
    """Returns the accounts' home folders that exist, and any folder below /home."""
    found = {user.pw_dir: user.pw_name for user in pwd.getpwall() if user.pw_dir.startswith(("/home/", "/root"))}
    for folder in glob.glob("/home/*/"):
        found.setdefault(folder.rstrip("/"), os.path.basename(folder.rstrip("/")))
    return {folder: name for folder, name in found.items() if os.path.isdir(folder)}


class Volatile:
    """Knows which folders lie in memory: they never reach the image."""

    def __init__(self):
        self.mounts = {fields[1]: fields[2] for fields in (line.split() for line in lines("/proc/self/mounts")) if len(fields) > 2}

    def holds(self, path):
        path = os.path.abspath(path)
        while path != "/" and path not in self.mounts:
            path = os.path.dirname(path)
        return self.mounts.get(path) in ("tmpfs", "ramfs", "devtmpfs", "proc", "sysfs")


def verifier():
    """Returns crypt(3) of the system's library, which Python lacks from 3.13 on; None if there is none."""
    for name in ("libcrypt.so.1", "libcrypt.so.2"):
        try:
            function = ctypes.CDLL(name).crypt
        except (OSError, AttributeError):
            continue
        function.restype, function.argtypes = ctypes.c_char_p, [ctypes.c_char_p, ctypes.c_char_p]
        return function
    return None


class Build:
    """What identifies the build: its account, and the secrets that nothing may hold. Read before the last step."""

    def __init__(self, user, password):
        self.user, self.password = user, password
        self.uid = next((account.pw_uid for account in pwd.getpwall() if account.pw_name == user), None)
        self.keys = {key for path in glob.glob("/home/%s/.ssh/authorized_keys*" % user) for key in keys_of(path)}
        self.hash = hashes().get(user, "").lstrip("!")
        self.sizes = {path: size_of(path) for path in walk(["/var/log"])}

    def forms(self):
        """The build's secrets as bytes, as tools write them: plain, quoted for a URL, and in base64."""
        found = {self.hash.encode()} | {key.encode() for key in self.keys}
        if self.password:
            plain = self.password.encode()
            found |= {plain, urllib.parse.quote(self.password, safe="").encode(), json.dumps(self.password)[1:-1].encode()}
            for shift in range(3):  # base64 of a longer text, at each alignment
                encoded = base64.b64encode(b"x" * shift + plain)
                found.add(encoded[(0, 2, 3)[shift]:len(encoded) - 4])
        return sorted(form for form in found if len(form) >= MIN_SECRET)


def size_of(path):
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def walk(tops):
    """Yields the files below folders, without following links."""
    for top in tops:
        for folder, _, names in os.walk(top):
            for name in names:
                yield os.path.join(folder, name)


def accounts(report, build, _):
    """The build account and everything that names it."""
    for path in ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/subuid", "/etc/subgid"):
        for copy in [path, path + "-"] + glob.glob("/var/backups/%s*" % os.path.basename(path)):
            if any(line.split(":")[0] == build.user for line in lines(copy)):
                report.add("build-account", copy, "the build account %s" % build.user, FINISH)
    for path in ["/etc/sudoers"] + glob.glob("/etc/sudoers.d/*"):
        if any(line.split()[:1] == [build.user] for line in lines(path)):
            report.add("build-account", path, "a sudo rule of the build account %s" % build.user, FINISH)
    for pattern in ("/home/%s", "/var/mail/%s", "/var/spool/mail/%s", "/var/spool/cron/%s", "/var/spool/cron/crontabs/%s", "/var/lib/systemd/linger/%s"):
        if os.path.lexists(pattern % build.user):
            report.add("build-account", pattern % build.user, "a folder or file of the build account %s" % build.user, FINISH)


def passwords(report, build, _):
    """Accounts whose password is the build's, or that need none."""
    crypt = verifier()
    for name, field in sorted(hashes().items()):
        where = "/etc/shadow (%s)" % name
        if field == "":
            report.add("password", where, "an account without a password that needs none", USERS)
        if field.lstrip("!")[:1] not in ("$", "_") and not re.match(r"^!?[./0-9A-Za-z]{13}$", field):
            continue
        if crypt and build.password and crypt(build.password.encode(), field.lstrip("!").encode()) == field.lstrip("!").encode():
            report.add("build-password", where, "an account that the build's password opens" if field[0] != "!" else "the build's password, locked", USERS)
        elif field[0] != "!":
            report.add("password", where, "an account with a password: images have keys only", USERS, "warning")
    if not crypt or not build.password:
        report.add("not-checked", "/etc/shadow", "no crypt library, or no build password was given: password hashes are not checked", FINISH, "warning")


def authorized(report, build, kept):
    """Keys that may sign in."""
    for folder, name in sorted(homes().items()):
        for path in glob.glob(folder + "/.ssh/authorized_keys*"):
            keys = keys_of(path)
            if keys & build.keys:
                report.add("build-key", path, "an SSH key that the build signed in with", USERS)
            elif keys and name not in kept:
                report.add("authorized-key", path, "keys of an account that guest_users does not name", USERS)
    for path in walk(glob.glob("/etc/ssh/authorized_keys*/")):
        if keys_of(path) & build.keys:
            report.add("build-key", path, "an SSH key that the build signed in with", USERS)


def identity(report, *_):
    """The machine's own number."""
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        if not os.path.islink(path) and "".join(lines(path)).strip() not in ("", "uninitialized"):
            report.add("machine-id", path, "the build machine's id: copies would share it", FINISH)
    addresses = {"".join(lines(path)).strip().lower() for path in glob.glob("/sys/class/net/*/address")} - {"", "00:00:00:00:00:00"}
    for path in walk(["/etc/netplan", "/etc/network", "/etc/NetworkManager/system-connections", "/etc/sysconfig/network-scripts", "/etc/systemd/network"]):
        if any(address in "\n".join(lines(path)).lower() for address in addresses):
            report.add("network", path, "a name or address bound to the build machine's network card", SWEEP)


def files(report, *_):
    """Files that are residue by their name."""
    for kind, what, role, patterns, empty in FILES:
        for path in sorted({path for pattern in patterns for path in glob.glob(pattern)}):
            if empty or os.path.isdir(path) or size_of(path):
                report.add(kind, path, what, role)


def traces(report, build, _):
    """Histories, folders of the tools, temporary files and caches."""
    memory = Volatile()
    for folder in sorted(homes()):
        for name in HISTORIES:
            if size_of(os.path.join(folder, name)):
                report.add("history", os.path.join(folder, name), "the history of a session of the build", FINISH)
        for name in TRACES:
            if os.path.lexists(os.path.join(folder, name)):
                report.add("temporary", os.path.join(folder, name), "what Ansible or a session of the build left", FINISH)
    for top in ("/tmp", "/var/tmp"):
        for name in [] if memory.holds(top) or not os.path.isdir(top) else sorted(os.listdir(top)):
            if TOOLS.match(name):
                report.add("temporary", os.path.join(top, name), "a temporary file of Packer or Ansible", FINISH)
            elif not SERVICES.match(name):
                report.add("temporary", os.path.join(top, name), "a temporary file", FINISH, "warning")
    for pattern in CACHES:
        for path in glob.glob(pattern)[:1]:
            report.add("cache", path, "a package cache: the image is larger than it needs to be", FINISH, "warning")


def logs(report, build, finished):
    """Logs with content. What a service wrote after the cleaning is no log of the build."""
    for path in walk(["/var/log"]):
        if not size_of(path) or os.path.islink(path):
            continue
        fresh = finished and size_of(path) < build.sizes.get(path, 0) or path not in build.sizes
        report.add("log", path, "a log with content" + (", written after the cleaning" if fresh else " of the build"), FINISH, "warning" if fresh else "error")


def search(report, build, _):
    """Files that hold a secret of the build, a private key, or belong to its account."""
    forms, memory, count, size = build.forms(), Volatile(), 0, 0
    if build.password and len(build.password) < MIN_SECRET:
        report.add("not-checked", "/", "the build's password has less than %d characters: files are not searched for it" % MIN_SECRET, FINISH, "warning")
    for path in walk(SEARCHED):
        try:
            about = os.lstat(path)
            if not stat.S_ISREG(about.st_mode) or memory.holds(path):
                continue
            count, size = count + 1, size + about.st_size
            if count > MAX_FILES or size > MAX_BYTES:
                report.add("not-checked", path, "too much to search: from here on, files were not searched for secrets", FINISH, "warning")
                return
            with open(path, "rb") as handle:
                content = handle.read(MAX_FILE + 1)
        except OSError:
            continue  # it went away
        if any(form in content for form in forms):
            report.add("secret", path, "a file that holds the build's password, its hash or its key", FINISH)
        if path.startswith(("/root/", "/home/")) and b"PRIVATE KEY-----" in content[:4096]:
            report.add("private-key", path, "a private key", FINISH)
        if about.st_uid == build.uid and build.uid is not None:
            report.add("build-account", path, "a file that belongs to the build account: the next account would own it", FINISH)
        if len(content) > MAX_FILE:
            report.add("not-checked", path, "a large file: only its first %d MiB were searched for secrets" % (MAX_FILE >> 20), FINISH, "warning")


def look(build, kept, finished):
    """Returns what is left."""
    report = Report(build.forms())
    for check, argument in (
            (accounts, None), (passwords, None), (authorized, kept), (identity, None), (files, None), (traces, None), (logs, finished), (search, None)):
        check(report, build, argument)
    return report


def main():
    parser = argparse.ArgumentParser(description="Looks for what a golden image must not hold. The build's password comes on standard input.")
    parser.add_argument("--build-user", metavar="NAME", required=True, help="account of the build")
    parser.add_argument("--account", metavar="NAME", action="append", default=[], help="account that stays, with its keys")
    parser.add_argument("--finish", metavar="SCRIPT", help="run the last step first: SCRIPT NAME")
    options = parser.parse_args()
    build = Build(options.build_user, sys.stdin.read())
    if options.finish:
        done = subprocess.run([options.finish, options.build_user], stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            sys.exit("the last step failed: %s: exit %d" % (options.finish, done.returncode))
    left = look(build, set(options.account), bool(options.finish)).print()
    sys.exit(BLOCKED if left else 0)


if __name__ == "__main__":
    main()
