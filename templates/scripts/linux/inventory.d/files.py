# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:24:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-files-of-the-inventory
# Diagram: openspec/specs/provisioning/diagram.md#which-files-the-inventory-lists

import grp
import hashlib
import json
import os
import pwd
import re
import stat
import struct

# Bounds of what is read. Whatever is over one is told in the document, never passed over.
LARGEST = 256 << 20  # bytes of a file: a larger one is compared by its size
READ = 8 << 30  # bytes of all files that no package's database vouches for
TEXT = 1 << 20  # bytes of a file that is normalised
LISTED = 200000  # entries
DEPTH = 64  # folders inside each other

# File systems on the machine's own disks, and those that a root may lie on. No other is entered.
LOCAL = {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "reiserfs", "vfat", "msdos", "zfs", "bcachefs"}

# What a rule of files.json says of its paths.
HOWS = {"compare", "without packages", "leave out", "own", "normalise"}

# What each machine has as its own in the texts that are normalised.
OWN = [(re.compile(pattern), into) for pattern, into in (
    (rb"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", b"UUID"),
    (rb"(?i)\b[0-9a-f]{4}-[0-9a-f]{4}\b", b"UUID"),  # of a FAT file system
    (rb"(?i)\b[0-9a-f]{32}\b", b"MACHINE"),
    (rb"/dev/(?:[shv]d[a-z]+[0-9]*|xvd[a-z]+[0-9]*|nvme[0-9]+n[0-9]+(?:p[0-9]+)?|disk/by-[a-z]+/\S+)", b"/dev/DISK"),
    (rb"\b(?:en[ospx][0-9a-z]+|eth[0-9]+)\b", b"NIC"),
    (rb"\s--hint(?:-[a-z]+)?=\S+", b""),  # where a boot loader looks first
)]

CAPABILITIES = """chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service
    net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot
    sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog
    wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore""".split()


@section
def files(transient):
    """What lies in the folders that are compared, and what of packages is not as their database says."""
    rules = Rules(json.loads(read(os.path.join(SETTINGS["folder"], "files.json"))) + SETTINGS["rules"], transient)
    owners, sums = part("owners.py")["owned"]()
    found = Walk(rules, owners)
    found.folder("/", None, 0)
    found.missing()
    texts = found.texts()
    for package, path, target in found.links:
        sums.setdefault(package, []).append((path, "link " + target))
    tree = {}
    # By what is said, so that entries of one name are in the same order whatever a machine's identifier is.
    for path, text in sorted(texts.items(), key=lambda one: (one[1], one[0])):
        folder, name = os.path.split(path)
        if folder.endswith("/loader/entries"):
            name = re.sub(r"^[0-9a-f]{32}-", "MACHINE-", name)
        named = tree.setdefault(shown(folder), {})
        key, number = shown(name), 1
        while key in named:
            number += 1
            key = "%s-%d" % (shown(name), number)
        named[key] = text
    return {
        "packages": {
            package: hashlib.sha256(json.dumps(sorted(lines)).encode("ascii")).hexdigest() for package, lines in sums.items()
        },
        "rules": rules.told(), "scope": found.scope(), "tree": tree,
    }


class Rules:
    """What is compared, left out and normalised, with reasons: files.json, and what the image adds."""

    def __init__(self, groups, transient):
        self.groups, self.rules, self.exact, self.patterns = groups, [], {}, {}
        self.leaving = set(build_rules(transient) + ["/home/" + user for user in transient])
        for group in groups:
            if set(group) != {"how", "paths", "reason"} or group["how"] not in HOWS or not group["reason"].strip():
                raise Unreadable("no rule with how, paths and reason: %s" % json.dumps(group, sort_keys=True))
            for path in group["paths"]:
                if not re.match(r"/[^/]", path) or path != os.path.normpath(path):
                    raise Unreadable("not an absolute path in its shortest form, in a rule: %s" % json.dumps(path))
                self.rules.append((group["how"], path))
        self.counts = [0] * len(self.rules)
        for how in HOWS:
            mine = [(path, number) for number, (of, path) in enumerate(self.rules) if of == how]
            self.exact[how] = {path: number for path, number in mine if "*" not in path}
            several = [(path, number) for path, number in mine if "*" in path]
            text = "|".join("(%s)" % "".join(
                {"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in re.split(r"(\*\*?)", path)
            ) for path, _ in several)
            self.patterns[how] = (re.compile("(?:%s)" % (text or "(?!)"), re.DOTALL), [number for _, number in several])

    def of(self, how, path):
        """Returns the number of the rule that a path falls under, or None."""
        number = self.exact[how].get(path)
        if number is None:
            pattern, numbers = self.patterns[how]
            match = pattern.fullmatch(path)
            number = numbers[match.lastindex - 1] if match else None
        return number

    def applies(self, how, path):
        """Says whether a rule holds for a path, and counts it."""
        number = self.of(how, path)
        if number is not None:
            self.counts[number] += 1
        return number is not None

    def out(self, path):
        """Says whether a path is left out, with what lies below it."""
        return path in self.leaving or self.applies("leave out", path)

    def below(self, path):
        """Says whether a path, or a folder that it lies in, is left out."""
        parts = path.split("/")
        return any(self.of("leave out", "/".join(parts[:n])) is not None for n in range(2, len(parts) + 1))

    def told(self):
        """Returns the rules, with the number of paths that each left out, did not read or normalised."""
        counts = dict(zip(self.rules, self.counts))
        return [
            {"how": group["how"], "paths": {shown(path): counts[group["how"], path] for path in group["paths"]},
             "reason": group["reason"]} for group in self.groups
        ]


class Walk:
    """Goes through the root file system and the machine's own disks, and follows no link."""

    def __init__(self, rules, owners):
        self.rules, self.owners, self.mounts, self.several = rules, owners, mounts(), part("owners.py")["SEVERAL"]
        self.found, self.links, self.seen, self.jobs, self.names, self.own = {}, [], set(), [], {}, 0
        self.elsewhere, self.totals = [], dict.fromkeys(["package_files", "by_size", "unread", "no_digest"], 0)

    def folder(self, path, how, depth):
        """Looks at a folder's entries. `how` is the rule that it lies under: compare, without packages or None."""
        try:
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        except OSError as problem:
            return self.unread(path, problem.strerror)
        if depth > DEPTH:
            return self.unread(path, "more than %d folders inside each other" % DEPTH)
        for entry in entries:
            name = path.rstrip("/") + "/" + entry.name
            if self.rules.out(name):
                continue
            if self.mounts.get(name, True) is False:
                self.elsewhere.append(name)
                continue
            try:
                about = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError as problem:
                self.unread(name, problem.strerror)
                continue
            within = how
            for other in ("compare", "without packages"):
                if self.rules.of(other, name) is not None:
                    within = other
                    break
            self.entry(name, about, within)
            if stat.S_ISDIR(about.st_mode):
                self.folder(name, within, depth + 1)

    def entry(self, path, about, how):
        """Notes what is to be said of a path, and what has to be read for it."""
        package, digest = self.owners.get(path, ("", None))
        mode = stat.S_IMODE(about.st_mode)
        head = "%04o %s:%s" % (mode, self.name(pwd.getpwuid, about.st_uid), self.name(grp.getgrgid, about.st_gid))
        if package:
            self.seen.add(path)
        if package not in ("", self.several):
            head += " of " + package.split(":")[0]
        if stat.S_ISDIR(about.st_mode):
            if how == "compare":
                self.found[path] = head + " folder"
        elif stat.S_ISLNK(about.st_mode):
            target = link(path)
            if package not in ("", self.several):
                self.links.append((package, shown(path), target))
            if how == "compare" or (how and not package):
                self.found[path] = head[5:] + " link " + target
        elif not stat.S_ISREG(about.st_mode):
            if how == "compare" or (how and not package):
                self.found[path] = head + " " + special(about)
        else:
            able = capabilities(path)
            if able:
                head += " capabilities " + able
            unusual = about.st_uid != 0 or mode & 0o022
            listed = how == "compare" or (how and not (package and not unusual)) or mode & 0o6000 or able
            if listed and self.rules.applies("own", path):
                self.found[path] = head + " own"
            elif listed or digest:
                self.jobs.append((path, about, head, digest, bool(listed)))
        self.own += how is not None and not package
        if self.own > LISTED:
            raise Unreadable("more than %d entries that no package brings: leave folders out by a rule" % LISTED)

    def texts(self):
        """Reads what is to be read, and returns all that is said by path."""
        left = READ
        for path, about, head, digest, listed in self.jobs:
            said = None
            self.totals["package_files"] += digest is not None
            self.totals["no_digest"] += digest is None and " of " in head
            if about.st_size > LARGEST or digest is None and about.st_size > left:
                self.totals["by_size"] += 1
                said = "size:%d" % about.st_size
            elif digest and digest == self.digest(path, about, KINDS[len(digest)]):
                said = "unchanged"
            elif path not in self.found:  # else it could not be read
                listed, left = True, left - about.st_size
                change = self.rules.applies("normalise", path) and about.st_size <= TEXT
                sum_ = self.digest(path, about, hashlib.sha256, change)
                said = sum_ and ("normalised " if change else "") + "sha256:" + sum_
            if said and listed:
                self.found[path] = head + " " + said
        return self.found

    def digest(self, path, about, kind, change=False):
        """Returns the digest of a file as it was when it was listed; None where it is gone, or cannot be read."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as problem:
            return self.unread(path, problem.strerror)
        try:
            now, sum_, data = os.fstat(handle), kind(), b"-"
            left = now.st_size
            while left > 0 and data:
                data = os.read(handle, min(left, TEXT))
                left -= len(data)
                sum_.update(normalised(data) if change else data)
            if left > 0 or (now.st_ino, now.st_size, now.st_mtime_ns) != (about.st_ino, about.st_size, about.st_mtime_ns):
                return self.unread(path, "it changes while it is read")
            return sum_.hexdigest()
        except OSError as problem:
            return self.unread(path, problem.strerror)
        finally:
            os.close(handle)

    def unread(self, path, why):
        self.totals["unread"] += 1
        self.found[path] = "not read: " + why
        return None

    def missing(self):
        """Lists what packages brought that is not there."""
        for path, (package, digest) in self.owners.items():
            if digest and path not in self.seen and not self.rules.below(path) and not os.path.lexists(path):
                self.found[path] = "of " + package.split(":")[0] + " missing"

    def name(self, lookup, number):
        """Returns the name of an account or a group, or the number where it has none."""
        key = (lookup, number)
        if key not in self.names:
            try:
                self.names[key] = re.sub(r"[\s:]", "?", shown(lookup(number)[0]))
            except KeyError:
                self.names[key] = str(number)
        return self.names[key]

    def scope(self):
        """Says what was looked at, and what was not."""
        return dict(self.totals, listed=len(self.found), not_entered=sorted({shown(path) for path in self.elsewhere}))


def special(about):
    kinds = ((stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"), (stat.S_ISCHR, "character device"), (stat.S_ISBLK, "block device"))
    kind = next((name for is_kind, name in kinds if is_kind(about.st_mode)), "of an unknown kind")
    return kind if "device" not in kind else "%s %d:%d" % (kind, os.major(about.st_rdev), os.minor(about.st_rdev))


def link(path):
    """Returns where a link points."""
    try:
        return shown(os.readlink(path))
    except OSError as problem:
        return "not read: " + problem.strerror


def normalised(data):
    """Takes out of a text what each machine has as its own."""
    for pattern, into in OWN:
        data = pattern.sub(into, data)
    return data


def capabilities(path):
    """Returns the capabilities that a file hands to a process, as setcap writes them."""
    try:
        value = os.getxattr(path, "security.capability", follow_symlinks=False)
    except OSError:  # it has none, or its file system knows none
        return ""
    if len(value) < 12:
        return "unknown"
    magic, permitted, inheritable = struct.unpack("<III", value[:12])
    if len(value) >= 20:
        more = struct.unpack("<II", value[12:20])
        permitted, inheritable = permitted | more[0] << 32, inheritable | more[1] << 32
    flags = "e" if magic & 1 else ""
    parts = []
    for bits, flag in ((permitted, flags + "p"), (inheritable, flags + "i")):
        names = ["cap_" + (CAPABILITIES[n] if n < len(CAPABILITIES) else str(n)) for n in range(64) if bits >> n & 1]
        if names:
            parts.append(",".join(names) + "=" + flag)
    return "+".join(parts) or "none"


def mounts():
    """Says of each mount point whether it is on one of the machine's own disks."""
    points = {}
    for line in read("/proc/self/mountinfo").splitlines():
        fields, _, tail = line.partition(" - ")
        point = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code.group(1), 8)), fields.split()[4])
        kind, device = tail.split()[:2]
        points[point] = kind in LOCAL and device.startswith("/dev/") or kind == "zfs"
    return points


# How the databases make their digests, by the length of the text.
KINDS = {32: lambda: md5(), 40: hashlib.sha1, 56: hashlib.sha224, 64: hashlib.sha256, 96: hashlib.sha384, 128: hashlib.sha512}


def md5():
    """MD5 tells a file from another one here; where the system forbids it, it is asked for as what it is."""
    try:
        return hashlib.md5()
    except ValueError:
        return hashlib.new("md5", usedforsecurity=False)
