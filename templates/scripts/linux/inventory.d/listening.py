# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:24:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads

import glob
import os
import socket


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


@section
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
