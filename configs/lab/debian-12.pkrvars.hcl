# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:47:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-an-environment-is-a-folder
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# What debian-12 starts from on the simulated hypervisors: a medium, or with PKR_VAR_build_from=clone a template.

iso_file   = "debian-12.iso"
clone_from = "debian-12-base"
