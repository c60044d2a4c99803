# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:24:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads

import glob
import os
import tempfile


@section
def sshd(_):
    """The settings that sshd would use, its defaults included."""
    made = not os.path.isdir("/run/sshd")
    try:
        if made:
            os.mkdir("/run/sshd", 0o755)
        if glob.glob("/etc/ssh/ssh_host_*_key"):
            text = run("sshd", "-T")
        else:
            with tempfile.TemporaryDirectory() as folder:
                key = os.path.join(folder, "key")
                run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
                text = run("sshd", "-T", "-h", key)
    finally:
        if made:
            os.rmdir("/run/sshd")
    settings = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        settings.setdefault(name, []).append(value)
    settings.pop("hostkey", None)
    return {name: sorted(values) for name, values in settings.items()}
