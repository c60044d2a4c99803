# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:24:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads

import grp


@section
def groups(transient):
    return [
        {"gid": group.gr_gid, "members": sorted(set(group.gr_mem) - transient), "name": group.gr_name}
        for group in sorted(grp.getgrall(), key=lambda group: group.gr_name) if group.gr_name not in transient
    ]
