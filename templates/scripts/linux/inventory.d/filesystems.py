# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:24:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads


@section
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
