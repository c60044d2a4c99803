// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:07:13Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

// Package bucket keeps the objects of a state in a bucket of S3, Azure Blob Storage or
// Google Cloud Storage. The clouds' libraries are in a program of its own,
// packer-hybrid-bucket, which this package starts and talks to (package wire) and which
// does the work (package cloud): whoever keeps the state elsewhere carries none of them.
package bucket
