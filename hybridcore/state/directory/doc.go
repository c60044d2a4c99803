// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:12:31Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#put-in-a-directory

// Package directory holds the objects of a state in a directory of this host,
// and makes a state of the former format one of objects.
//
// An object is a file of its name. Names that begin with a dot are the
// directory's own:
//
//	.tmp-*      is being written
//	.locks/KEY  is locked by the kernel while the holder of a lease lives
//
// Writers lock the directory itself: there is no file for it that could be
// removed. What an upgrade took from the former format is kept in
// backup-format-1, and packer-hybrid.json says that it has moved.
package directory
