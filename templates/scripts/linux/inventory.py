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
import glob
import json
import os
import subprocess
import sys
import tempfile

FORMAT = 2

# How a section is read, by its name: functions that take the accounts which the last step removes.
SECTIONS = {}


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


def load(folder):
    """Runs the scripts of the sections. None sees another's names, and none is anybody's but root's or the caller's."""
    owners = {0, os.getuid(), int(os.environ.get("SUDO_UID", "0"))}
    scripts = sorted(glob.glob(os.path.join(folder, "*.py")))
    for path in [folder] + scripts:
        if os.lstat(path).st_uid not in owners:
            raise SystemExit("inventory: %s belongs to another account" % path)
    for path in scripts:
        exec(compile(read(path), path, "exec"), dict(globals()))


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
    options = parser.parse_args()
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
    counted = {name: len(document["sections"].get(name) or []) for name in ("packages", "users", "files")}
    print("inventory: %(packages)d packages, %(users)d accounts, %(files)d managed files" % counted +
          ", %d sections, %d of them unreadable" % (len(document["sections"]), len(document["errors"])))
    for problem in document["errors"]:
        print("inventory: %(section)s: %(message)s" % problem)


if __name__ == "__main__":
    main()
