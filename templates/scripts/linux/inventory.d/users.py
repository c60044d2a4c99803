# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:24:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads

import grp
import pwd


def password_state(field):
    """Says what can be done with a password field of /etc/shadow, never what it holds."""
    if field == "":
        return "empty"
    return "locked" if field.startswith(("!", "*")) else "set"


@section
def users(transient):
    shadow = {line.split(":")[0]: line.split(":")[1] for line in read("/etc/shadow").splitlines() if ":" in line}
    return [
        {
            "gid": user.pw_gid, "groups": sorted(g.gr_name for g in grp.getgrall() if user.pw_name in g.gr_mem),
            "home": user.pw_dir, "name": user.pw_name, "password": password_state(shadow.get(user.pw_name, "!")),
            "shell": user.pw_shell, "uid": user.pw_uid,
        }
        for user in sorted(pwd.getpwall(), key=lambda user: user.pw_name) if user.pw_name not in transient
    ]
