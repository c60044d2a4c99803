// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:52:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

// Package gitref keeps the objects of a state in a ref of a git repository, which
// runners, people and the bot reach with the rights that they have there. An object
// is a file of the tree of the ref's newest commit. A change is a commit that is
// pushed only while the ref is where this process has seen it.
//
// Git itself talks to the repository, in a bare clone of this process that has the
// newest commit and its folders, and of the files those that were read.
package gitref
