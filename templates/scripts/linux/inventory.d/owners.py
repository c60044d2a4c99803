# SPDX-License-Identifier: Apache-2.0
# Created: 2026-12-01T14:20:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-files-of-the-inventory
# Diagram: openspec/specs/provisioning/diagram.md#which-files-the-inventory-lists

import glob
import itertools
import os
import re

SEVERAL = "several packages"  # that have one path


def owned():
    """Returns the package and the digest that the databases have of each path, and what each package brings."""
    owners, sums = {}, {}
    for package, path, digest in itertools.chain(of_dpkg(), of_rpm()):
        path = real(path)
        other = owners.get(path)
        if other is None or other[1] is None and digest:
            owners[path] = (package, digest)
        elif other[0] != package and not digest and not other[1]:
            owners[path] = (SEVERAL, None)
        if digest:
            sums.setdefault(package, []).append((shown(path), digest))
    return owners, sums


MERGED = {}


def real(path):
    """Puts a path of a database where it lies since the folders of the system were merged into /usr."""
    _, top, *rest = path.split("/", 2)
    if top not in MERGED:
        target = os.readlink("/" + top) if os.path.islink("/" + top) else top
        MERGED[top] = os.path.normpath("/" + target)
    return "/".join([MERGED[top]] + rest)


def of_dpkg():
    """Yields package, path and digest (None: folders, links, and files without one) of dpkg's database."""
    info = "/var/lib/dpkg/info/"
    if not os.path.exists("/var/lib/dpkg/status"):
        return
    diverted, settings, package = diversions(), {}, ""
    for line in lines("/var/lib/dpkg/status"):
        setting = re.match(r" (/.*?) ([0-9a-f]{32})(?: [a-z-]+)?$", line)
        if line.startswith("Package: "):
            package = line[9:]
        elif setting:
            settings.setdefault(package, {})[setting.group(1)] = setting.group(2)
    for path in sorted(glob.glob(info + "*.list")):
        package = os.path.basename(path)[:-len(".list")]
        name = package.split(":")[0]
        digests = dict(settings.get(name, {}))
        if os.path.exists(path[:-len("list")] + "md5sums"):
            for line in lines(path[:-len("list")] + "md5sums"):
                digest, _, of = line.partition("  ")
                if re.match("[0-9a-f]{32}$", digest):
                    digests["/" + of] = digest
        for of in lines(path):
            if of.startswith("/") and of != "/.":
                by, to = diverted.get(of, (name, of))
                yield package, of if by == name else to, digests.get(of)


def diversions():
    """Maps a path to the package that has it, and where the files of the others went."""
    found = {}
    if os.path.exists("/var/lib/dpkg/diversions"):
        all_lines = lines("/var/lib/dpkg/diversions")
        for of, to, by in zip(all_lines[::3], all_lines[1::3], all_lines[2::3]):
            found[of] = (by, to)
    return found


def lines(path):
    """Returns the lines of a database's file, in which paths are as the file system has them."""
    with open(path, "rb") as handle:
        return os.fsdecode(handle.read()).split("\n")


def of_rpm():
    """Yields package, path and digest of rpm's database, but of files that packages only claim (ghosts)."""
    if os.path.exists("/var/lib/rpm") or os.path.exists("/usr/lib/sysimage/rpm"):
        form = "[%{=NAME}:%{=ARCH}\t%{FILEFLAGS}\t%{FILEDIGESTS}\t%{FILENAMES}\n]"
        yield from rpm_files(run("rpm", "-qa", "--qf", form))


def rpm_files(text):
    for line in text.split("\n"):
        fields = line.split("\t", 3)
        if len(fields) == 4 and not int(fields[1]) & 64:
            yield fields[0], os.fsdecode(fields[3].encode("utf-8")), fields[2] or None
