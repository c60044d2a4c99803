// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:51Z
// Spec: openspec/specs/sources/spec.md#requirement-hardened-git
// Diagram: openspec/specs/sources/diagram.md#sync

//go:build !linux

package sources

import (
	"errors"
)

// exchange is only known on Linux.
func exchange(string, string) error { return errors.ErrUnsupported }
