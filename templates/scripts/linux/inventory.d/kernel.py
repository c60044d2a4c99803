# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:24:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads

import glob
import os
import platform


@section
def kernel(_):
    return {
        "architecture": platform.machine(),
        "installed": sorted(os.path.basename(path)[len("vmlinuz-"):] for path in glob.glob("/boot/vmlinuz-*")),
        "running": platform.release(),
    }
