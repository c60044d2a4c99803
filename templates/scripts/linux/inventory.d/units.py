# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:24:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads

import os


@section
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
