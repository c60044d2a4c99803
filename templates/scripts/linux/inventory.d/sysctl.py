# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:24:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads

import os

SYSCTL_FILES = ["/usr/lib/sysctl.d/*.conf", "/run/sysctl.d/*.conf", "/etc/sysctl.d/*.conf", "/etc/sysctl.conf"]


@section
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
