#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:52:48Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads

"""Writes the inventory of this machine as one JSON document, so that two images can be compared.

Needs root and Python 3.6 with its standard library, and changes nothing. The same system gives the same
bytes: everything is sorted, and what differs between two boots (times, process numbers, free space) is not
read. No password, hash or key is written. A section that cannot be read is an entry of "errors". Each section is
a script of inventory.d/ that uses what is defined here.
"""

import argparse
import base64
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

FORMAT = 3

# How a section is read, by its name: functions that take the accounts which the last step removes.
SECTIONS = {}

# What the sections are to know of this run: the folder that they lie in, and rules on files that the image adds.
SETTINGS = {"folder": "", "rules": []}
PARTS = {}


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


def build_rules(transient):
    """Returns the files of sudo rules in which every rule is a transient account's: the finish script removes them."""
    found = set()
    for path in glob.glob("/etc/sudoers.d/*") if transient else []:
        rules = [line.split() for line in read(path).splitlines() if line.strip() and not line.startswith("#")]
        if rules and all(rule[0] in transient for rule in rules):
            found.add(path)
    return sorted(found)


def section(function):
    """Makes a function the section of its name."""
    if function.__name__ in SECTIONS:
        raise SystemExit("inventory: the section %s is there twice" % function.__name__)
    SECTIONS[function.__name__] = function
    return function


def shown(path):
    """Returns a path as text: what is not UTF-8 or not printable is \\xNN, a backslash is two."""
    if PLAIN.match(path):
        return path
    text = os.fsencode(path).replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


PLAIN = re.compile(r"[ -\[\]-~]*\Z")


def part(name):
    """Returns the names of a script of the folder, which runs once. It sees what is defined here, and no other's names."""
    if name not in PARTS:
        PARTS[name] = dict(globals())
        exec(compile(read(os.path.join(SETTINGS["folder"], name)), name, "exec"), PARTS[name])
    return PARTS[name]


def load(folder):
    """Runs the scripts of the sections: none that is anybody's but root's or the caller's."""
    owners = {0, os.getuid(), int(os.environ.get("SUDO_UID", "0"))}
    parts = sorted(glob.glob(os.path.join(folder, "*")))
    for path in [folder] + parts:
        if os.lstat(path).st_uid not in owners:
            raise SystemExit("inventory: %s belongs to another account" % path)
    SETTINGS["folder"] = folder
    for path in parts:
        if path.endswith(".py"):
            part(os.path.basename(path))


def collect(transient):
    """Returns the inventory. `transient` are accounts that the last step removes: they are listed, not described."""
    document = {
        "errors": [], "format": FORMAT, "sections": {}, "system": "linux",
        "transient": {"files": build_rules(transient), "users": sorted(transient)},
    }
    for name in sorted(SECTIONS):
        try:
            document["sections"][name] = SECTIONS[name](transient)
        except (Unreadable, OSError, ValueError, IndexError) as problem:
            document["sections"][name] = None
            document["errors"].append({"message": str(problem), "section": name})
    return document


def main():
    parser = argparse.ArgumentParser(description="Writes the inventory of this machine as JSON.")
    parser.add_argument("--sections", metavar="FOLDER", required=True, help="folder of the sections' scripts")
    parser.add_argument("--output", metavar="FILE", help="write to FILE and print a summary (default: print the JSON)")
    parser.add_argument("--transient-user", metavar="NAME", action="append", default=[], help="account that will be removed")
    parser.add_argument("--rules", metavar="BASE64", default="W10=", help="rules on files that the image adds: JSON in base64")
    options = parser.parse_args()
    SETTINGS["rules"] = json.loads(base64.b64decode(options.rules).decode("utf-8"))
    load(options.sections)
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
    counted = {name: len(document["sections"].get(name) or []) for name in ("packages", "users")}
    counted["files"] = ((document["sections"].get("files") or {}).get("scope") or {}).get("listed", 0)
    print("inventory: %(packages)d packages, %(users)d accounts, %(files)d files" % counted +
          ", %d sections, %d of them unreadable" % (len(document["sections"]), len(document["errors"])))
    for problem in document["errors"]:
        print("inventory: %(section)s: %(message)s" % problem)


if __name__ == "__main__":
    main()
