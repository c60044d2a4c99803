# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:47:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-differences-are-layers-of-literals
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# Debian 12 (bookworm), on every platform.

iso_file = "debian-12.12.0-amd64-netinst.iso"
