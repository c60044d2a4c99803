// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:38:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-only-in-the-lab
// Diagram: openspec/specs/stand-ins/diagram.md#parts

// Package standin is what the lab's stand-ins for Packer plugins share: the real plugin's schema, the decoding of
// a configuration that refuses what a stand-in cannot do, and connections that lead into a lab and nowhere else.
//
// A stand-in takes the place of a plugin that cannot be had, in the lab only. It drives the same calls of the
// simulated platform in the same order, cleans up like the real plugin and leaves the same kind of artifact.
package standin
