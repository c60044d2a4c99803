# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:24:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads

import os


@section
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
