// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:12:53Z
// Spec: openspec/specs/cli/spec.md#requirement-project-scaffold
// Diagram: openspec/specs/cli/diagram.md#one-command

package packerhybrid

import "embed"

// Scaffold holds a working project: what `packer-hybrid init` writes.
//
//go:embed packer-hybrid.hcl templates configs sources/sources.lock.hcl sources/upstream.hcl sources/README.md
var Scaffold embed.FS
